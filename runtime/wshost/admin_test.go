package wshost

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

func TestAdmin(t *testing.T) {
	h := newTestHost(t, upgrader(), hello("hello"))
	h.fakes[1].after = []string{h.fakes[0].name}
	h.start()
	a := NewAdmin(h.home)
	ctx := context.Background()
	one, two := upgrade(t, h.addr), upgrade(t, h.addr)
	one.send("12345\n")
	if _, err := one.r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}

	st, err := a.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if st.Version != 1 || st.Program != "1.2.3" || st.PID != os.Getpid() || st.Name != "test" || st.Generation != 1 || st.Sockets["sockets"] != 2 || st.Requests != 2 ||
		!reflect.DeepEqual(st.Modules, []string{"UpgradeModule", "HelloModule"}) || !reflect.DeepEqual(st.Features, []string{"feature-hellomodule", "feature-upgrademodule"}) {
		t.Errorf("status %+v", st)
	}
	conns, err := a.Connections(ctx)
	if err != nil || len(conns) != 2 || conns[0].ID >= conns[1].ID || conns[0].BytesIn != 6 || conns[1].BytesIn != 0 || conns[0].Path != "/socket" || conns[0].Site != "Default Web Site" {
		t.Errorf("connections %+v, %v", conns, err)
	}
	if r, err := a.Reload(ctx); err != nil || r.Generation != 2 {
		t.Errorf("reload %+v, %v", r, err)
	}
	addr, err := a.OpenProbe(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if status, body := get(t, "http://"+addr+"/"); status != 200 || body != "hello" {
		t.Errorf("probe: %d %q", status, body)
	}
	for range 2 { // closed already is no error
		if err := a.CloseProbe(ctx, addr); err != nil {
			t.Errorf("close the probe: %v", err)
		}
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		_ = c.Close()
		t.Error("a closed probe still listens")
	}
	if n, err := a.CloseConnections(ctx, []string{"another"}, 1001, ""); n != 0 || err != nil {
		t.Errorf("closed %d of another feature, %v", n, err)
	}
	if n, err := a.CloseConnections(ctx, []string{"another", "sockets"}, 3000, "moved"); n != 2 || err != nil {
		t.Errorf("closed %d, %v; want 2", n, err)
	}
	for _, c := range []*rawConn{one, two} {
		if line, err := c.r.ReadString('\n'); line != "close 3000 moved\n" {
			t.Errorf("told %q, %v", line, err)
		}
	}
	if n, err := a.CloseSiteConnections(ctx, []uint32{1}, 1012, ""); n != 2 || err != nil {
		t.Errorf("closed %d by site, %v; want 2", n, err)
	}
	for _, code := range []uint16{0, 999, 1004, 1005, 1006, 1015, 2999, 5000} {
		if _, err := a.CloseConnections(ctx, nil, code, ""); err == nil {
			t.Errorf("close code %d was taken", code)
		}
	}
	if _, err := a.CloseConnections(ctx, nil, 1000, strings.Repeat("x", 124)); err == nil {
		t.Error("a reason of 124 bytes was taken")
	}
	if _, err := a.CloseConnections(ctx, nil, 1000, strings.Repeat("x", 123)); err != nil {
		t.Errorf("a reason of 123 bytes: %v", err)
	}
}

func TestAdminCarriesConfigurationErrors(t *testing.T) {
	h := newTestHost(t, hello("x")).start()
	h.write("config/applicationHost.config", "<configuration>\n <system.webServer>\n  <modules bogus=\"1\"/>\n </system.webServer>\n</configuration>\n")
	_, direct := h.s.Reload(context.Background())
	_, remote := NewAdmin(h.home).Reload(context.Background())
	want, got := (*config.Error)(nil), (*config.Error)(nil)
	if !errors.As(direct, &want) || !errors.As(remote, &got) {
		t.Fatalf("%v, %v; want configuration errors", direct, remote)
	}
	if !reflect.DeepEqual(want, got) || want.Pos.Line != 3 || direct.Error() != remote.Error() {
		t.Errorf("the client got\n%+v\nwant\n%+v", got, want)
	}
}

func TestConfigurationErrorsSurviveTheWire(t *testing.T) {
	full := &config.Error{
		Pos: config.Pos{File: "f", Line: 3, Column: 4}, HResult: config.HResultLocked, Section: "s", Message: "m", Hint: "h", Feature: "x",
		Source: config.Excerpt{First: 2, Lines: []string{"a", "b", ""}}, LockedBy: &config.Pos{File: "g", Line: 1},
	}
	for i := range reflect.TypeFor[config.Error]().NumField() { // a field that is added must travel, too
		if reflect.ValueOf(*full).Field(i).IsZero() {
			t.Errorf("field %s is not tested", reflect.TypeFor[config.Error]().Field(i).Name)
		}
	}
	for _, e := range []*config.Error{full, {Message: "alone"}} {
		b, err := json.Marshal(toWire(e))
		if err != nil {
			t.Fatal(err)
		}
		var w wireConfigError
		if err := json.Unmarshal(b, &w); err != nil || !reflect.DeepEqual(w.config(), e) {
			t.Errorf("%+v came back as %+v (%v)", e, w.config(), err)
		}
	}
}

func TestAdminWithoutHost(t *testing.T) {
	ctx := context.Background()
	home := t.TempDir()
	if _, err := NewAdmin(home).Status(ctx); !errors.Is(err, ErrNotRunning) {
		t.Errorf("no run folder: %v", err)
	}
	h := newTestHost(t, hello("x")).start()
	if err := h.s.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := NewAdmin(h.home).Reload(ctx); !errors.Is(err, ErrNotRunning) {
		t.Errorf("after Stop: %v", err)
	}
	// A host that died leaves its socket behind.
	ln, err := net.Listen("unix", filepath.Join(h.home, "run", "admin.sock"))
	if err != nil {
		t.Fatal(err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = ln.Close()
	if _, err := NewAdmin(h.home).Status(ctx); !errors.Is(err, ErrNotRunning) {
		t.Errorf("a stale socket: %v", err)
	}
	h.start()
	if _, err := NewAdmin(h.home).Status(ctx); err != nil {
		t.Errorf("the stale socket was not replaced: %v", err)
	}
}

func TestAdminStop(t *testing.T) {
	h := newTestHost(t, upgrader()).start()
	socket := upgrade(t, h.addr)
	ended := make(chan error, 1)
	go func() { ended <- NewAdmin(h.home).Stop(context.Background(), patience) }()
	if line, _ := socket.r.ReadString('\n'); !strings.HasPrefix(line, "close 1001") {
		t.Errorf("told %q", line)
	}
	select {
	case err := <-ended:
		t.Fatalf("Stop returned with an open socket: %v", err)
	default:
	}
	_ = socket.Close()
	if err := <-ended; err != nil {
		t.Errorf("Stop: %v", err)
	}
	// The home is free as soon as Stop has returned.
	s, err := Start(context.Background(), h.options())
	if err != nil {
		t.Fatal(err)
	}
	<-h.s.Done()
	if _, err := NewAdmin(h.home).Status(context.Background()); err != nil {
		t.Errorf("the end of the first host took the socket of the second: %v", err)
	}
	if err := NewAdmin(h.home).Stop(context.Background(), time.Minute); err != nil {
		t.Errorf("Stop: %v", err)
	}
	<-s.Done()
}

func TestOneHostPerHome(t *testing.T) {
	h := newTestHost(t, hello("x")).start()
	_, err := Start(context.Background(), h.options())
	if !errors.Is(err, ErrRunning) {
		t.Fatalf("a second host: %v, want ErrRunning", err)
	}
	if status, _ := h.get("/"); status != 200 {
		t.Errorf("the first host answers %d", status)
	}
	if _, err := NewAdmin(h.home).Status(context.Background()); err != nil {
		t.Errorf("the first host's socket: %v", err)
	}
}

func TestLongHomePath(t *testing.T) {
	h := newTestHost(t, hello("x"))
	long := filepath.Join(h.home, strings.Repeat("long/", 40))
	if err := os.MkdirAll(long, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{"config", "sites"} {
		if err := os.Rename(filepath.Join(h.home, d), filepath.Join(long, d)); err != nil {
			t.Fatal(err)
		}
	}
	h.home = long
	h.configure(h.site(1, "Default Web Site", "", "127.0.0.1:0:"))
	h.start()
	if st, err := NewAdmin(long).Status(context.Background()); err != nil || st.Generation != 1 {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestAdminSocketIsPrivate(t *testing.T) {
	old := unix.Umask(0) // the widest there is
	h := newTestHost(t, hello("x"))
	h.start()
	unix.Umask(old)
	for name, want := range map[string]os.FileMode{"run": 0o700 | os.ModeDir, "run/admin.sock": 0o600 | os.ModeSocket, "run/host.lock": 0o600} {
		info, err := os.Lstat(filepath.Join(h.home, name))
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
}

func TestAdministrators(t *testing.T) {
	allowed := administrators(1000)
	for uid, want := range map[uint32]bool{0: true, 1000: true, 1001: false, 65534: false} {
		if allowed(uid) != want {
			t.Errorf("user %d: %v, want %v", uid, !want, want)
		}
	}
}

// TestStrangersAreNotHeard connects as another user, which only root can try.
func TestStrangersAreNotHeard(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	h := newTestHost(t, hello("x")).start()
	socket := filepath.Join(h.home, "run", "admin.sock")
	for _, p := range []string{socket, filepath.Dir(socket)} { // somebody opened what should be closed
		if err := os.Chmod(p, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(uid int) (string, error) {
		type answer struct {
			s   string
			err error
		}
		got := make(chan answer)
		go func() {
			runtime.LockOSThread() // never unlocked: the thread ends with the goroutine and takes its user along
			if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), uintptr(uid), ^uintptr(0)); e != 0 {
				got <- answer{"", e}
				return
			}
			s, err := rawStatus(socket)
			got <- answer{s, err}
		}()
		a := <-got
		return a.s, a.err
	}
	if s, err := ask(0); err != nil || !strings.HasPrefix(s, "HTTP/1.1 200") {
		t.Errorf("root got %q, %v", s, err)
	}
	if s, err := ask(65534); s != "" {
		t.Errorf("a stranger got %q, %v", s, err)
	}
}

// rawStatus asks for the status with plain system calls, all in the calling thread.
func rawStatus(socket string) (string, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: socket}); err != nil {
		return "", err
	}
	if _, err := unix.Write(fd, []byte("GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		return "", err
	}
	b := make([]byte, 512)
	n, err := unix.Read(fd, b)
	return string(b[:max(n, 0)]), err
}

func TestAdminRefuses(t *testing.T) {
	h := newTestHost(t, hello("x")).start()
	client := NewAdmin(h.home).http
	tests := []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/v1/nothing", "", 404},
		{"GET", "/v1/reload", "", 405},
		{"POST", "/v1/status", "", 405},
		{"POST", "/v1/connections/close", "{", 400},
		{"POST", "/v1/connections/close", `{"code":1000,"everything":true}`, 400},
		{"POST", "/v1/connections/close", `{"code":1000,"reason":"` + strings.Repeat("x", maxAdminRequest) + `"}`, 413},
		{"POST", "/v1/connections/close", `{"code":1000}`, 200},
	}
	for _, tt := range tests {
		req, err := http.NewRequest(tt.method, "http://wshost"+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != tt.status {
			t.Errorf("%s %s %.40s: %s, want %d", tt.method, tt.path, tt.body, resp.Status, tt.status)
		}
	}
}
