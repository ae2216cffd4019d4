package fastcgi

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/fcgi"
	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

func TestFailuresAreThoseOfIIS(t *testing.T) {
	e := &exchange{pool: &pool{app: application{FullPath: "/bin/app"}}, inst: &instance{}}
	type outcome struct {
		status, sub int
		win32       uint32
	}
	for _, c := range []struct {
		got  *module.HTTPError
		want outcome
	}{
		{e.failure(fmt.Errorf("read: %w", os.ErrDeadlineExceeded)), outcome{500, 0, waitTimeout}},
		{e.failure(fcgi.ErrOverloaded), outcome{503, 4, 0}},
		{e.failure(fmt.Errorf("%w: x", gateway.ErrHeader)), outcome{502, 2, errorInvalidData}},
		{e.failure(fmt.Errorf("%w: x", fcgi.ErrProtocol)), outcome{500, 0, errorInvalidData}},
		{e.failure(io.ErrUnexpectedEOF), outcome{500, 0, errorBrokenPipe}},
		{e.unreachable(os.ErrNotExist), outcome{502, 3, errorBrokenPipe}},
		{e.unavailable(errQueueFull), outcome{503, 4, 0}},
		{e.unavailable(errRapidFails), outcome{500, 0, 0}},
		{e.unavailable(context.DeadlineExceeded), outcome{500, 0, waitTimeout}},
		{e.unavailable(os.ErrNotExist), outcome{500, 0, errorFileNotFound}},
		{e.unavailable(os.ErrPermission), outcome{500, 0, errorAccessDenied}},
	} {
		if got := (outcome{c.got.Status, c.got.SubStatus, c.got.Win32}); got != c.want || c.got.Summary == "" {
			t.Errorf("%s: %v, want %v", c.got.Summary, got, c.want)
		}
	}
}

func TestBridgeStandsInForWfastcgi(t *testing.T) {
	here := t.TempDir() + "/wfastcgi.py"
	if err := os.WriteFile(here, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		in, want []string
	}{
		{[]string{`C:\Python\Lib\site-packages\wfastcgi.py`}, []string{"-c", wsgiBridge}},
		{[]string{"-u", `D:\WFASTCGI.PY`, "x"}, []string{"-u", "-c", wsgiBridge, "x"}},
		{[]string{here}, []string{here}},
		{[]string{"-m", "other"}, []string{"-m", "other"}},
		{nil, nil},
	} {
		if got, ok := bridged(c.in); !slices.Equal(got, c.want) || ok == slices.Equal(c.in, c.want) {
			t.Errorf("%q: %d arguments, %v", c.in, len(got), ok)
		}
	}
}
