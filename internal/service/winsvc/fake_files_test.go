package winsvc

import (
	"maps"
	"strings"

	"github.com/go-glidepath/glidepath/internal/win32"
)

func (f *fake) ReadValue(key, name string) (value, error) {
	if err := f.call("RegQueryValueEx %s %s", key, name); err != nil {
		return value{}, err
	}
	v, ok := f.keys[strings.ToLower(key)][name]
	if !ok {
		return value{}, win32.ErrorFileNotFound
	}
	return v, nil
}

func (f *fake) WriteValue(key, name string, v value) error {
	if err := f.call("RegSetValueEx %s %s", key, name); err != nil {
		return err
	}
	k, ok := f.keys[strings.ToLower(key)]
	switch {
	case f.user:
		return win32.ErrorAccessDenied
	case !ok:
		return win32.ErrorFileNotFound
	}
	k[name] = v
	return nil
}

func (f *fake) DeleteValue(key, name string) error {
	if err := f.call("RegDeleteValue %s %s", key, name); err != nil {
		return err
	}
	k := f.keys[strings.ToLower(key)]
	if _, ok := k[name]; !ok {
		return win32.ErrorFileNotFound
	}
	delete(k, name)
	return nil
}

func (f *fake) CreateKey(key string) (bool, error) {
	if err := f.call("RegCreateKeyEx %s", key); err != nil {
		return false, err
	}
	key = strings.ToLower(key)
	above := key[:strings.LastIndexByte(key, '\\')]
	switch {
	case f.user:
		return false, win32.ErrorAccessDenied
	case f.keys[key] != nil:
		return false, nil
	case f.keys[above] == nil:
		f.t.Errorf("the key %s is made without the one above it", key)
	}
	f.keys[key] = map[string]value{}
	return true, nil
}

func (f *fake) DeleteKey(key string) error {
	if err := f.call("RegDeleteKey %s", key); err != nil {
		return err
	}
	key = strings.ToLower(key)
	switch {
	case f.keys[key] == nil:
		return win32.ErrorFileNotFound
	case f.user:
		return win32.ErrorAccessDenied
	}
	delete(f.keys, key)
	return nil
}

func (f *fake) Security(path string) (string, bool, error) {
	if err := f.call("GetSecurityInfo %s", path); err != nil {
		return "", false, err
	}
	sddl, ok := f.folders[path]
	switch {
	case !ok:
		return "", false, win32.ErrorFileNotFound
	case f.user && protected(sddl) && !strings.Contains(sddl, ";BU)"):
		return "", false, win32.ErrorAccessDenied
	}
	return sddl, f.links[path], nil
}

func (f *fake) SetSecurity(path, sddl string) error {
	if err := f.call("SetNamedSecurityInfo %s %s", path, sddl); err != nil {
		return err
	}
	old, ok := f.folders[path]
	switch {
	case !ok:
		return win32.ErrorFileNotFound
	case f.user:
		return win32.ErrorAccessDenied
	case f.links[path]:
		return errLink
	case parse(sddl).owner == "":
		sddl = "O:" + parse(old).owner + sddl
	}
	f.folders[path] = sddl
	return nil
}

func (f *fake) MakeFolder(path, sddl string) error {
	if err := f.call("CreateDirectory %s", path); err != nil {
		return err
	}
	switch {
	case f.user:
		return win32.ErrorAccessDenied
	case f.folders[path] != "":
		return win32.ErrorAlreadyExists
	case f.folders[path[:strings.LastIndexByte(path, '\\')]] == "":
		return win32.ErrorPathNotFound
	}
	f.folders[path] = sddl
	return nil
}

func (f *fake) RemoveFolder(path string) error {
	if err := f.call("RemoveDirectory %s", path); err != nil {
		return err
	}
	for other := range f.folders {
		if strings.HasPrefix(other, path+`\`) {
			return win32.Errno(145) // ERROR_DIR_NOT_EMPTY
		}
	}
	delete(f.folders, path)
	return nil
}

func (f *fake) RemoveAll(path string) error {
	if err := f.call("RemoveAll %s", path); err != nil {
		return err
	}
	maps.DeleteFunc(f.folders, func(other, _ string) bool { return other == path || strings.HasPrefix(other, path+`\`) })
	return nil
}
