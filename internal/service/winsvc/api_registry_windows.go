package winsvc

import (
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/go-glidepath/glidepath/internal/win32"
)

func (windowsAPI) ReadValue(key, name string) (v value, err error) {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, key, registry.QUERY_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return v, fail(err)
	}
	defer func() { _ = k.Close() }()
	n, _, err := k.GetValue(name, nil)
	if err != nil {
		return v, fail(err)
	}
	v.Data = make([]byte, n)
	n, v.Kind, err = k.GetValue(name, v.Data)
	v.Data = v.Data[:min(n, len(v.Data))]
	return v, fail(err)
}

// regSetValueEx writes values of any type, which package registry does not.
var regSetValueEx = windows.NewLazySystemDLL("advapi32.dll").NewProc("RegSetValueExW")

func (windowsAPI) WriteValue(key, name string, v value) error {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, key, registry.SET_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = k.Close() }()
	w, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	r, _, _ := regSetValueEx.Call(uintptr(k), uintptr(unsafe.Pointer(w)), 0, uintptr(v.Kind),
		uintptr(unsafe.Pointer(unsafe.SliceData(v.Data))), uintptr(len(v.Data)))
	if r != 0 {
		return win32.Errno(r)
	}
	return nil
}

func (windowsAPI) DeleteValue(key, name string) error {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, key, registry.SET_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = k.Close() }()
	return fail(k.DeleteValue(name))
}

func (windowsAPI) CreateKey(key string) (made bool, err error) {
	k, existed, err := registry.CreateKey(registry.LOCAL_MACHINE, key, registry.SET_VALUE|registry.WOW64_64KEY)
	if err != nil {
		return false, fail(err)
	}
	return !existed, fail(k.Close())
}

func (windowsAPI) DeleteKey(key string) error {
	return fail(registry.DeleteKey(registry.LOCAL_MACHINE, key))
}
