package manage

// Plan is what an installation would do, before it is done.
type Plan struct {
	Spec      Spec
	Installed bool       // there is a service of this name already
	Replaces  string     // whose it is, if it is not ours: "kardianos/service"
	Artefacts []Artefact // in the order in which they are made
	Calls     []string   // what is called beside, in order: "systemctl daemon-reload"
	Warnings  []string   // what was asked for and this manager lacks, one line each
	Notes     []string   // what stays as somebody has chosen it, one line each
	Private   any        // the manager's own
}

// Artefact is one thing that an installation consists of, as text: a file, or the
// settings of a service of Windows, a line each.
type Artefact struct {
	Name    string // a path; or what the manager calls it
	Mode    string // of a file, "0644"; "" for others
	Old     string // what is there now
	New     string // what will be
	Present bool   // it is there now
	Wanted  bool   // it will be
}

// Changed reports whether something happens to a.
func (a Artefact) Changed() bool {
	return a.Present != a.Wanted || a.Wanted && a.Old != a.New
}

// Changed reports whether the plan changes anything.
func (p *Plan) Changed() bool {
	for _, a := range p.Artefacts {
		if a.Changed() {
			return true
		}
	}
	return false
}
