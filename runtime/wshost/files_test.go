package wshost

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// newFolder makes a site's folder with links of every kind beside a folder with a secret.
func newFolder(t *testing.T) folderFiles {
	t.Helper()
	top := t.TempDir()
	dir := filepath.Join(top, "site")
	for _, d := range []string{dir, filepath.Join(dir, "sub"), filepath.Join(top, "outside")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{"site/file.txt": "file", "site/sub/below.txt": "below", "outside/secret.txt": "secret"} {
		if err := os.WriteFile(filepath.Join(top, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{
		"inside.txt": "sub/below.txt", "up.txt": "../outside/secret.txt", "absolute.txt": filepath.Join(top, "outside/secret.txt"),
		"outdir": "../outside", "dangling": "nowhere", "loop": "loop",
	} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(filepath.Join(dir, "fifo"), 0o644); err != nil {
		t.Fatal(err)
	}
	return folderFiles(dir)
}

func TestFilesStayInTheirFolder(t *testing.T) {
	files := newFolder(t)
	tests := []struct {
		path, content string
		err           error
	}{
		{"/file.txt", "file", nil},
		{"/sub/below.txt", "below", nil},
		{"/inside.txt", "below", nil},
		{"/sub/../file.txt", "file", nil},
		{"/file.txt/", "", fs.ErrNotExist},
		{"/file.txt/x", "", fs.ErrNotExist},
		{"/missing", "", fs.ErrNotExist},
		{"/dangling", "", fs.ErrNotExist},
		{"/loop", "", fs.ErrNotExist},
		{"/up.txt", "", fs.ErrPermission},
		{"/absolute.txt", "", fs.ErrPermission},
		{"/outdir/secret.txt", "", fs.ErrPermission},
		{"/../outside/secret.txt", "", fs.ErrPermission},
		{"/sub/../../outside/secret.txt", "", fs.ErrPermission},
		{"/fifo", "", fs.ErrPermission},
		{"/a\x00b", "", fs.ErrNotExist},
		{"/" + string(make([]byte, 300)), "", fs.ErrNotExist},
		{"/file.txt.", "", fs.ErrNotExist},
		{"/sub\\below.txt", "", fs.ErrNotExist},
	}
	for _, tt := range tests {
		info, serr := files.Stat(tt.path)
		f, oerr := files.Open(tt.path)
		if !errors.Is(serr, tt.err) || !errors.Is(oerr, tt.err) {
			t.Errorf("%q: stat %v, open %v, want %v", tt.path, serr, oerr, tt.err)
		}
		if oerr != nil || serr != nil {
			continue
		}
		b, err := io.ReadAll(f)
		_ = f.Close()
		if err != nil || string(b) != tt.content || info.Size() != int64(len(b)) {
			t.Errorf("%q holds %q (%v, size %d), want %q", tt.path, b, err, info.Size(), tt.content)
		}
	}
}

func TestFilesOpenFolders(t *testing.T) {
	files := newFolder(t)
	for _, p := range []string{"/", "/sub", "/sub/"} {
		f, err := files.Open(p)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		entries, err := f.ReadDir(-1)
		_ = f.Close()
		if err != nil || len(entries) == 0 {
			t.Errorf("%s: %v, %d entries", p, err, len(entries))
		}
	}
}

func TestFilesSeeAFolderThatWasReplaced(t *testing.T) {
	files := newFolder(t)
	if _, err := files.Stat("/file.txt"); err != nil {
		t.Fatal(err)
	}
	dir := string(files)
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Stat("/file.txt"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is gone: %v", err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "new.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Stat("/new.txt"); err != nil {
		t.Errorf("the new folder is not seen: %v", err)
	}
}

// TestFilesTooDeepToBeConfigured sees that no file is served whose folder's web.config has too long a path to be read.
func TestFilesTooDeepToBeConfigured(t *testing.T) {
	h := newTestHost(t, hello("x")).start()
	files := siteFiles{tree: h.s.current.Load().tree, site: "Default Web Site"}
	deepest, err := os.OpenRoot(filepath.Join(h.home, "sites/default"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = deepest.Close() }()
	folder, served, refused := strings.Repeat("d", 200), 0, 0
	for url := ""; len(url) < unix.PathMax+500; url += "/" + folder {
		for _, name := range []string{"web.config", "f"} {
			if err := deepest.WriteFile(name, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		_, named := os.Stat(files.Physical(url + "/web.config"))
		f, oerr := files.Open(url + "/f")
		if oerr == nil {
			_ = f.Close()
			served++
		} else {
			refused++
		}
		if _, serr := files.Stat(url + "/f"); named != nil && (oerr == nil || serr == nil) {
			t.Errorf("at %d bytes: open %v, stat %v, web.config %v", len(files.Physical(url)), oerr, serr, named)
		}
		if err := deepest.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		next, err := deepest.OpenRoot(folder)
		if err != nil {
			t.Fatal(err)
		}
		_ = deepest.Close()
		deepest = next
	}
	if served < 10 || refused == 0 {
		t.Errorf("%d files were served, %d were not", served, refused)
	}
}
