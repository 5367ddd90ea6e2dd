package winsvc

import (
	"errors"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/go-glidepath/glidepath/internal/win32"
)

// The functions of the Event Log since Windows Vista.
var (
	wevtapi   = windows.NewLazySystemDLL("wevtapi.dll")
	evtQuery  = wevtapi.NewProc("EvtQuery")
	evtNext   = wevtapi.NewProc("EvtNext")
	evtRender = wevtapi.NewProc("EvtRender")
	evtClose  = wevtapi.NewProc("EvtClose")
)

const (
	evtQueryChannelPath      = 0x1
	evtQueryForwardDirection = 0x100
	evtQueryReverseDirection = 0x200
	evtRenderEventXML        = 1
)

// errNoLog is returned by versions of Windows, and by Wine, that cannot read the event log.
var errNoLog = errors.New("this version of Windows has no event log that can be read")

func (windowsAPI) Events(xpath string, backwards bool, yield func(xml string) bool) error {
	for _, p := range []*windows.LazyProc{evtQuery, evtNext, evtRender, evtClose} {
		if p.Find() != nil {
			return errNoLog
		}
	}
	channel, err := windows.UTF16PtrFromString("Application")
	if err != nil {
		return err
	}
	query, err := windows.UTF16PtrFromString(xpath)
	if err != nil {
		return err
	}
	flags := uintptr(evtQueryChannelPath | evtQueryForwardDirection)
	if backwards {
		flags = evtQueryChannelPath | evtQueryReverseDirection
	}
	results, _, e := evtQuery.Call(0, uintptr(unsafe.Pointer(channel)), uintptr(unsafe.Pointer(query)), flags)
	if results == 0 {
		if errors.Is(e, syscall.Errno(win32.ErrorCallNotImplemented)) || errors.Is(e, syscall.Errno(0)) {
			return errNoLog
		}
		return fail(e)
	}
	defer func() { _, _, _ = evtClose.Call(results) }()
	for {
		var record uintptr
		var n uint32
		ok, _, e := evtNext.Call(results, 1, uintptr(unsafe.Pointer(&record)), windows.INFINITE, 0, uintptr(unsafe.Pointer(&n)))
		if ok == 0 {
			if errors.Is(e, syscall.Errno(win32.ErrorNoMoreItems)) {
				return nil
			}
			if errors.Is(e, syscall.Errno(win32.ErrorCallNotImplemented)) || errors.Is(e, syscall.Errno(0)) {
				return errNoLog
			}
			return fail(e)
		}
		xml, err := render(record)
		_, _, _ = evtClose.Call(record)
		if err != nil {
			return err
		}
		if !yield(xml) {
			return nil
		}
	}
}

// render returns a record as XML.
func render(record uintptr) (string, error) {
	var properties uint32
	b, err := grown(func(b *byte, size uint32, needed *uint32) error {
		ok, _, e := evtRender.Call(0, record, evtRenderEventXML, uintptr(size), uintptr(unsafe.Pointer(b)),
			uintptr(unsafe.Pointer(needed)), uintptr(unsafe.Pointer(&properties)))
		if ok == 0 {
			return e
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return windows.UTF16PtrToString((*uint16)(unsafe.Pointer(&b[0]))), nil
}
