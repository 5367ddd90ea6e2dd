package safe

func executable(string, bool) error { return nil } // TODO(windows): the DACLs
