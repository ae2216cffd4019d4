package fastcgi

import (
	_ "embed"
	"os"
	"strings"
)

//go:embed wsgi.py
var wsgiBridge string

// bridged puts the bridge of this server in the place of wfastcgi.py when that is not here: it is made for IIS, and the
// settings that it reads are read by the bridge too.
func bridged(args []string) (replaced []string, ok bool) {
	for n, a := range args {
		base := a[strings.LastIndexAny(a, `\/`)+1:]
		if _, err := os.Stat(a); err != nil && strings.EqualFold(base, "wfastcgi.py") {
			out := append(append([]string{}, args[:n]...), "-c", wsgiBridge)
			return append(out, args[n+1:]...), true
		}
	}
	return args, false
}
