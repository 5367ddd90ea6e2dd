package files

import "golang.org/x/sys/unix"

// flagged returns the flag of lsattr(1) that keeps even root from removing a file, or
// what is in a folder: "i" or "a". It is empty if there is none, or nobody knows.
func flagged(file string) string {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, file, unix.AT_SYMLINK_NOFOLLOW, 0, &st); err != nil {
		return ""
	}
	switch {
	case st.Attributes&unix.STATX_ATTR_IMMUTABLE != 0:
		return "i"
	case st.Attributes&unix.STATX_ATTR_APPEND != 0:
		return "a"
	}
	return ""
}

func unfreeze(flag string) string { return "chattr -" + flag }
