package websocketendpoints

import (
	"net/http"
	"path/filepath"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/process"
)

// errorFileNotFound is ERROR_FILE_NOT_FOUND, which IIS logs for a program that cannot be started.
const errorFileNotFound = 2

// command returns what is to be started for a request. The command is split into words at spaces outside quotation marks and
// given to the program as it stands: no shell sees it, and nothing that the client sent is part of it. The client's words
// are in the environment and on the standard input alone.
func command(r *http.Request, q *module.Request, e *endpoint, info string) (process.Spec, *module.HTTPError) {
	_, folder := q.Application(r.URL.Path)
	dir := folder
	if e.Dir != "" {
		if dir = e.Dir; !filepath.IsAbs(dir) {
			dir = filepath.Join(folder, dir)
		}
	}
	words := gateway.SplitArguments(e.Command)
	if len(words) == 0 {
		return process.Spec{}, refuse(http.StatusInternalServerError, "the endpoint has no command", "")
	}
	spec := process.Spec{Path: words[0], Args: words[1:], Dir: dir, User: e.User, Env: environment(r, q, e, info)}
	switch {
	case filepath.IsAbs(words[0]):
	case strings.Contains(words[0], "/"):
		spec.Path = filepath.Join(dir, words[0])
	default:
		program, err := gateway.FindProgram(words[0])
		if err != nil {
			return spec, cannotStart(err)
		}
		spec.Path = program.Path
	}
	return spec, nil
}

func cannotStart(err error) *module.HTTPError {
	e := refuse(http.StatusInternalServerError, "the program of the endpoint cannot be started: "+err.Error(), "look at command, workingDirectory and user of the endpoint; a program needs the permission to be executed")
	e.Win32 = errorFileNotFound
	return e
}

// environment returns the variables of RFC 3875 and the fields of the opening handshake, and of the host's own variables only
// what programs need to find others and their language.
func environment(r *http.Request, q *module.Request, e *endpoint, info string) []string {
	env := gateway.BaseEnv(e.User)
	script := gateway.Script{URL: strings.TrimSuffix(e.Path, "/*")}
	if strings.HasSuffix(e.Path, "/*") {
		script.Info = "/" + info
	}
	v := gateway.Variables(r, q, script, 0)
	delete(v, "SCRIPT_FILENAME") // an endpoint is no file
	delete(v, "PATH_TRANSLATED")
	delete(v, "HTTP_:PROTOCOL") // of a handshake over HTTP/2, which programs are to take for the other one (RFC 8441, section 5)
	v["REQUEST_METHOD"] = http.MethodGet
	for k, value := range v {
		env = append(env, k+"="+strings.ReplaceAll(value, "\x00", ""))
	}
	return env
}
