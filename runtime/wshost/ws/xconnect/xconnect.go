// Package xconnect makes the HTTP/2 server of net/http announce the extended CONNECT of RFC 8441, SETTINGS 0x8 = 1, so
// that clients open WebSockets on an HTTP/2 connection they have. Importing it anywhere in a program is all:
//
//	import _ "github.com/rolemgr/rolemgr/runtime/wshost/ws/xconnect"
//
// net/http keeps this behind GODEBUG=http2xconnect=1 and reads the variable once, while it initialises; a //go:debug
// line cannot set it. This package sets it earlier: it imports only os, and Go initialises packages in the order of
// their import paths once their imports are ready (language specification, "Program initialization"), so at the moment
// os is done its path, with "g" before "n", comes before net/http and before everything that net/http waits for from "n" on.
// Where in the program the import stands does not matter. A copy of this package must keep a path that sorts before
// "net/http", and must not import more.
//
// Other settings in GODEBUG stay, and a person's own http2xconnect, as http2xconnect=0, wins. Processes that the program
// starts inherit the variable; Without gives an environment for those that shall not.
//
// It answers nothing by itself. Every handler of the program may from then on get requests with method CONNECT and
// the header field ":protocol"; see handshake.WantedConnect. net/http refuses them where the package is not
// imported.
package xconnect

import "os"

const (
	variable = "GODEBUG"
	setting  = "http2xconnect"
)

var _ = enable()

// enable sets the variable. Setenv fails only for names and values that cannot be in an environment.
func enable() error { return os.Setenv(variable, With(os.Getenv(variable))) }

// Enabled reports whether net/http was told to announce extended CONNECT. It looks at the environment of this process
// and is right as long as nobody has changed GODEBUG since the start.
func Enabled() bool { return contains(os.Getenv(variable), setting+"=1") }

// With returns godebug, a value of GODEBUG, with http2xconnect=1 added, or as it is when it sets http2xconnect to
// anything.
func With(godebug string) string {
	for rest := godebug; rest != ""; {
		var item string
		item, rest = cut(rest)
		if len(item) > len(setting) && item[:len(setting)+1] == setting+"=" {
			return godebug
		}
	}
	if godebug != "" {
		godebug += ","
	}
	return godebug + setting + "=1"
}

// Without returns a copy of env, a list as of os.Environ, in which GODEBUG does not set http2xconnect=1. A variable that
// becomes empty is left out.
func Without(env []string) []string {
	kept := make([]string, 0, len(env))
	for _, e := range env {
		if len(e) <= len(variable) || e[:len(variable)+1] != variable+"=" {
			kept = append(kept, e)
			continue
		}
		var value string
		for rest := e[len(variable)+1:]; rest != ""; {
			var item string
			if item, rest = cut(rest); item == setting+"=1" {
				continue
			}
			if value != "" {
				value += ","
			}
			value += item
		}
		if value != "" {
			kept = append(kept, variable+"="+value)
		}
	}
	return kept
}

// cut splits at the first comma. Package strings is not used: each import is one more to wait for.
func cut(list string) (first, rest string) {
	for i := range len(list) {
		if list[i] == ',' {
			return list[:i], list[i+1:]
		}
	}
	return list, ""
}

// contains looks for sub anywhere in s, as net/http does.
func contains(s, sub string) bool {
	for i := 0; i+len(sub) <= len(s); i++ {
		if s[i:i+len(sub)] == sub {
			return true
		}
	}
	return false
}
