package wshost

import (
	"cmp"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// Reading is the configuration of a home as a host reads it, without a host.
type Reading struct {
	Tree   *config.Tree
	routes *routes
}

// Read reads the configuration of a home. available and known are as in Options.
func Read(home string, available []module.Info, known []config.Known) (*Reading, error) {
	tree, server, _, err := readConfig(home, available, known)
	if err != nil {
		return nil, err
	}
	rt, err := planRoutes(tree, server, &certStore{log: slog.New(slog.DiscardHandler), now: time.Now})
	if err != nil {
		return nil, err
	}
	return &Reading{tree, rt}, nil
}

// SiteOf returns the name of the site that answers a request for a host name or address at a port. Where the address
// that the name leads to would decide, the binding with the smallest address is taken.
func (r *Reading) SiteOf(host string, port int) (name string, ok bool) {
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	addr := host
	if host == "localhost" {
		addr = "127.0.0.1"
	}
	if a, err := netip.ParseAddr(addr); err == nil {
		addr = a.Unmap().String()
	}
	rank := func(k routeKey) int {
		switch {
		case k.port != port || k.host != "" && k.host != host:
			return 0
		case k.host != "":
			return 4
		case k.addr == addr:
			return 3
		case k.addr == "":
			return 2
		}
		return 1
	}
	keys := slices.SortedFunc(maps.Keys(r.routes.bindings), func(a, b routeKey) int {
		return cmp.Or(rank(b)-rank(a), strings.Compare(a.String(), b.String()))
	})
	if len(keys) == 0 || rank(keys[0]) == 0 {
		return "", false
	}
	return r.routes.bindings[keys[0]].Name, true
}
