package manage

// Plan describes an installation before it happens.
type Plan struct {
	Spec      Spec
	Installed bool       // a service of this name is installed
	Replaces  string     // what installed it, if not this package: "kardianos/service"
	Artefacts []Artefact // in the order in which they are created
	Calls     []string   // commands that are run as well, in order: "systemctl daemon-reload"
	Warnings  []string   // settings that this manager does not support, one line each
	Notes     []string   // choices of an administrator that are kept, one line each
	Private   any        // for the manager itself
}

// Artefact is one part of an installation as text: a file, or the settings of a Windows
// service, one per line.
type Artefact struct {
	Name    string // a path, or what the manager calls it
	Mode    string // of a file, "0644"; "" for others
	Old     string // its text now
	New     string // its text after the installation
	Present bool   // it exists
	Wanted  bool   // it exists after the installation
}

// Changed reports whether the installation changes a.
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
