//go:build unix && !linux

package safe

// listed knows no access control lists here: the mode says who may write.
func listed(string, int) (users, groups []int, ok bool, err error) { return nil, nil, false, nil }
