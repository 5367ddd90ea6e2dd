package owned

import "slices"

// Removable fails, before anything is changed, if one of the files cannot be removed, or
// the record, or, with purge, what it names.
func (r Record) Removable(purge bool, files ...string) error {
	all := slices.Clone(files)
	if purge {
		own, err := r.Paths()
		if err != nil {
			return err
		}
		all = append(all, own...)
	}
	return r.tree.Removable(append(all, r.file, r.startFile())...)
}
