package gateway

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// Program is a program of this machine that a configuration means.
type Program struct {
	Path string // absolute
	Args []string
	// Note says what was made of a path that is written for Windows; "" when it is taken as it stands.
	Note string
}

// SplitProcessor splits a scriptProcessor at its first bar: the full path and the arguments, as the section fastCgi has
// them.
func SplitProcessor(processor string) (fullPath, arguments string) {
	fullPath, arguments, _ = strings.Cut(processor, "|")
	return Unquote(strings.TrimSpace(fullPath)), strings.TrimSpace(arguments)
}

// Unquote takes the quotation marks around a path away.
func Unquote(s string) string {
	if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// FindProgram returns the program of a full path. One of Windows that does not exist here means the program of the same
// name in a folder of PATH: php-cgi for C:\php\php-cgi.exe.
func FindProgram(fullPath string) (Program, error) {
	if fullPath == "" {
		return Program{}, fmt.Errorf("no program is named; write scriptProcessor=\"/usr/bin/php-cgi\"")
	}
	if !IsWindowsPath(fullPath) || exists(fullPath) {
		if !filepath.IsAbs(fullPath) {
			found, err := exec.LookPath(fullPath)
			if err != nil {
				return Program{}, fmt.Errorf("there is no program %q in PATH; install it, or name it with its folder", fullPath)
			}
			return Program{Path: found}, nil
		}
		if !exists(fullPath) {
			return Program{}, fmt.Errorf("there is no program %q; install it, or name another", fullPath)
		}
		return Program{Path: fullPath}, nil
	}
	base := strings.ToLower(BaseName(fullPath))
	if found, ok := LookPath(candidates(base)...); ok {
		return Program{Path: found, Note: fmt.Sprintf("%s is a path of Windows; %s runs in its place", fullPath, found)}, nil
	}
	return Program{}, fmt.Errorf("%q is a path of Windows, and there is no %q in PATH to run in its place; install it (Debian: apt-get install %s), or name another", fullPath, base, debianPackage(base))
}

func exists(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.Mode().IsRegular()
}

// candidates are the names that a FastCGI or CGI program of Windows has here.
func candidates(base string) []string {
	switch strings.ToLower(base) {
	case "php", "php-win":
		return []string{"php-cgi"} // php.exe as a FastCGI program is an oversight
	}
	return Counterparts(base)
}

func debianPackage(base string) string {
	if base == "python" {
		return "python3"
	}
	return base
}

// SplitArguments splits arguments at spaces that are not within quotation marks, as programs of Windows do. A back-slash
// is a part of a path, before a quotation mark too.
func SplitArguments(s string) []string {
	var args []string
	word, quoted, any := strings.Builder{}, false, false
	for _, c := range s {
		switch {
		case c == '"':
			quoted, any = !quoted, true
		case (c == ' ' || c == '\t') && !quoted:
			if any {
				args = append(args, word.String())
			}
			word.Reset()
			any = false
		default:
			word.WriteRune(c)
			any = true
		}
	}
	if any {
		args = append(args, word.String())
	}
	return args
}

// BaseEnv returns what a program is given of the host's own environment: the little that programs need to find others,
// files and their language. Everything else may be a secret of the host. One that runs as another user has that user's
// HOME, USER and LOGNAME, which package process adds.
func BaseEnv(user string) []string {
	var env []string
	for _, name := range []string{"PATH", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "HOME", "USER", "LOGNAME"} {
		if v, ok := os.LookupEnv(name); ok && !(user != "" && OfUser(name)) {
			env = append(env, name+"="+v)
		}
	}
	if !slices.ContainsFunc(env, func(e string) bool { return strings.HasPrefix(e, "PATH=") }) {
		env = append(env, "PATH=/usr/local/bin:/usr/bin:/bin")
	}
	return env
}

// OfUser reports whether an environment variable tells whose a process is.
func OfUser(name string) bool { return name == "HOME" || name == "USER" || name == "LOGNAME" }

// IsAddress reports whether a scriptProcessor names an application that runs already, and where: "unix:/path" or
// "tcp://host:port".
func IsAddress(processor string) (network, address string, ok bool) {
	if p, ok := strings.CutPrefix(processor, "unix:"); ok {
		return "unix", strings.TrimPrefix(p, "//"), true
	}
	if p, ok := strings.CutPrefix(processor, "tcp://"); ok {
		return "tcp", p, true
	}
	return "", "", false
}

// Judge says what becomes of a program that a configuration names: one of Windows is replaced by the one of this machine
// that has its name.
func Judge(fullPath string) config.Judgement {
	if !IsWindowsPath(fullPath) || fullPath == "" {
		return config.Judgement{}
	}
	return config.Judgement{Note: fmt.Sprintf("%s is a path of Windows: where it does not exist, the program %s found in PATH runs in its place", fullPath, candidates(strings.ToLower(BaseName(fullPath)))[0])}
}
