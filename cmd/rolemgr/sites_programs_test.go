package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sitePrograms returns a folder with the programs that sites of testdata/sites name, whatever this machine has: this test
// program under their names. There is no Python.
func sitePrograms(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"node", "java", "dotnet", "php-cgi"} {
		if err := os.Symlink(exe, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runSiteProgram is one of them, when that is what the test program was started as.
func runSiteProgram() (code int, ok bool) {
	var err error
	switch name := filepath.Base(os.Args[0]); name {
	case "node", "java", "dotnet":
		err = siteServer(name)
	case "php-cgi":
		err = sitePHP()
	default:
		return 0, false
	}
	fmt.Fprintln(os.Stderr, err)
	return 1, true
}

// siteServer answers with its arguments and the request, as an application sees them.
func siteServer(name string) error {
	folder, err := os.Getwd()
	if err != nil {
		return err
	}
	port := os.Getenv("PORT")
	args := strings.NewReplacer(folder, "SITE", port, "PORT").Replace(fmt.Sprint(os.Args[1:]))
	return http.ListenAndServe("127.0.0.1:"+port, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s %s", name, args, r.Method, r.RequestURI)
	}))
}

// sitePHP answers with the script and the URL that the client asked for.
func sitePHP() error {
	l, err := net.FileListener(os.Stdin)
	if err != nil {
		return err
	}
	return fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		env := fcgi.ProcessEnv(r)
		fmt.Fprintf(w, "php-cgi %s %s", strings.Replace(env["SCRIPT_FILENAME"], env["DOCUMENT_ROOT"], "SITE", 1), r.URL.RequestURI())
	}))
}
