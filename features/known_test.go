package features_test

import (
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/features/all"
)

func TestKnownSectionsNameTheirFeature(t *testing.T) {
	c, err := features.NewCatalog(all.Units())
	if err != nil {
		t.Fatal(err)
	}
	declared := map[string]string{}
	for _, m := range c.Modules() {
		for _, s := range m.Sections {
			declared[s.Path] = m.Feature
		}
	}
	known := c.Known()
	seen := map[string]bool{}
	rest := 0 // that belong to no node
	for _, k := range known {
		if seen[k.Path] {
			t.Errorf("%s is listed twice", k.Path)
		}
		seen[k.Path] = true
		if f := declared[k.Path]; f != "" {
			t.Errorf("%s is declared by the unit %s and listed as unavailable", k.Path, f)
		}
		if k.Feature == "" {
			rest++
			continue
		}
		u, ok := c.Unit(features.ID(k.Feature))
		if !ok || k.Title != u.Title || !strings.HasPrefix(k.Reason, u.Unavailable.Reason) {
			t.Errorf("%s: got feature %q, title %q, reason %q", k.Path, k.Feature, k.Title, k.Reason)
		}
	}
	for _, path := range []string{"system.webServer/rewrite/providers", "system.webServer/serverSideInclude"} {
		if !seen[path] {
			t.Errorf("%s is not explained", path)
		}
	}
	if rows := len(features.OwnedElsewhere()); rows != len(known)-rest {
		t.Errorf("%d of %d rows name a unit that does not exist or is available now; remove them", rows-len(known)+rest, rows)
	}
}

// TestAuthenticationAsItIsHere accepts of the kinds of authentication what changes nothing, and nothing else.
func TestAuthenticationAsItIsHere(t *testing.T) {
	c, err := features.NewCatalog(all.Units())
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, k := range c.Known() {
		if k.Judge == nil {
			continue
		}
		judged++
		anonymous := strings.HasSuffix(k.Path, "/anonymousAuthentication")
		for value, accepted := range map[string]bool{
			"": true, "true": anonymous, "True": anonymous, "false": !anonymous, "FALSE": !anonymous, "maybe": false, "1": false, " false": false,
		} {
			if got := k.Judge(func(string) string { return value }).NoEffect; (got != "") != accepted {
				t.Errorf("%s enabled=%q: %q", k.Path, value, got)
			}
		}
	}
	if judged != 6 {
		t.Errorf("%d kinds of authentication", judged)
	}
}
