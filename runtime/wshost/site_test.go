package wshost

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

func TestVirtualDirectories(t *testing.T) {
	h := newTestHost(t, &fake{name: "FileModule", serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		q := module.FromRequest(r)
		info, err := q.Files.Stat(r.URL.Path)
		if err != nil {
			status := http.StatusNotFound
			if errors.Is(err, fs.ErrPermission) {
				status = http.StatusForbidden
			}
			q.Fail(w, r, &module.HTTPError{Status: status, Summary: err.Error()})
			return
		}
		_, _ = io.WriteString(w, info.Name()+" "+q.Files.Physical(r.URL.Path))
	}})
	h.write("sites/default/sub/a.txt", "a")
	h.write("elsewhere/b.txt", "b")
	h.write("app/c.txt", "c")
	h.write("secret.txt", "s")
	site := strings.Replace(h.site(1, "Default Web Site", "", "127.0.0.1:0:"), "</application>",
		`<virtualDirectory path="/else" physicalPath="`+filepath.Join(h.home, "elsewhere")+`"/></application>`+
			`<application path="/app"><virtualDirectory path="/" physicalPath="app"/></application>`, 1)
	h.configure(site)
	h.start()
	tests := []struct {
		path   string
		status int
		want   string // name and physical path below the home
	}{
		{"/sub/a.txt", 200, "a.txt sites/default/sub/a.txt"},
		{"/else/b.txt", 200, "b.txt elsewhere/b.txt"},
		{"/else", 200, ". elsewhere"},
		{"/app/c.txt", 200, "c.txt app/c.txt"},
		{"/App/c.txt", 200, "c.txt app/c.txt"},
		{"/app/C.txt", 404, ""},
		{"/ELSE/b.txt", 200, "b.txt elsewhere/b.txt"},
		{"/ELSE/", 200, ". elsewhere"},
		{"/elsewhere/b.txt", 404, ""},
		{"/else/../else/b.txt", 200, "b.txt elsewhere/b.txt"},
		{"/else/..%2f..%2fsecret.txt", 400, ""},
		{"/app/c.txt/", 404, ""},
	}
	for _, tt := range tests {
		status, body := h.get(tt.path)
		if got := strings.Replace(body, h.home+"/", "", 1); status != tt.status || got != tt.want {
			t.Errorf("%s: %d %q, want %d %q", tt.path, status, got, tt.status, tt.want)
		}
	}
	outside := siteFiles{tree: h.s.current.Load().tree, site: "Default Web Site"}
	if _, err := outside.Open("/else/../../secret.txt"); !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a module that forgets to clean a path got %v", err)
	}
}

func TestNoSiteHasNoFiles(t *testing.T) {
	var f module.Files = noFiles{}
	if _, err := f.Open("/"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open: %v", err)
	}
	if _, err := f.Stat("/"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat: %v", err)
	}
	if p := f.Physical("/"); p != "" {
		t.Errorf("physical %q", p)
	}
}

// TestModulesMayRefuseTheirConfiguration sees a module's configuration error through to the client.
func TestModulesMayRefuseTheirConfiguration(t *testing.T) {
	f := hello("old")
	h := newTestHost(t, f).start()
	want := &config.Error{Pos: config.Pos{File: "x.config", Line: 7}, Message: "no such folder", Hint: "make it"}
	f.provision = func(*module.Context) error { return want }
	_, err := NewAdmin(h.home).Reload(context.Background())
	got := (*config.Error)(nil)
	if !errors.As(err, &got) || got.Hint != "make it" || err.Error() != `provision module "HelloModule": x.config:7: no such folder` {
		t.Errorf("%v, want the module's own error with its name", err)
	}
}

func TestReloadsWaitForOneAnother(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	f := hello("x")
	h := newTestHost(t, f).start()
	f.provision = func(*module.Context) error {
		entered <- struct{}{}
		<-leave
		return nil
	}
	first := make(chan error, 1)
	go func() {
		_, err := h.s.Reload(context.Background())
		first <- err
	}()
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := h.s.Reload(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a reload that cannot wait: %v", err)
	}
	close(leave)
	if err := <-first; err != nil {
		t.Errorf("the first reload: %v", err)
	}
	f.provision = nil
	gone, cancelNow := context.WithCancel(context.Background())
	cancelNow()
	if _, err := h.s.Reload(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("a reload that nobody waits for: %v", err)
	}
	eventually(t, "the second generation is alone", func() bool {
		st := h.s.Status()
		return st.Generation == 2 && st.Generations == 1
	})
}

// TestStopOvertakesAReload stops a host whose reload hangs in a module.
func TestStopOvertakesAReload(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	f := hello("x")
	h := newTestHost(t, f).start()
	f.provision = func(*module.Context) error {
		close(entered)
		<-leave
		return nil
	}
	added := freeAddr(t)
	h.configure(h.site(1, "Default Web Site", "", "127.0.0.1:0:", added+":"))
	late := make(chan error, 1)
	go func() {
		_, err := h.s.Reload(context.Background())
		late <- err
	}()
	<-entered
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_ = h.s.Stop(ctx)
	close(leave)
	if err := <-late; !errors.Is(err, errStopping) {
		t.Errorf("the reload ended with %v, want a refusal", err)
	}
	if !refused(h.addr) || !refused(added) || f.closed.Load() != 2 {
		t.Errorf("%d modules closed, want both generations' and no listener", f.closed.Load())
	}
	if err := NewAdmin(h.home).Stop(context.Background(), 0); !errors.Is(err, ErrNotRunning) {
		t.Errorf("stopping what does not run: %v", err)
	}
}
