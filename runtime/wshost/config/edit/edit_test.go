package edit

import (
	"strings"
	"testing"
)

// A change is an edit of a document in a test.
type change func(d *Document) error

func set(path, name, value string) change {
	return func(d *Document) error { return d.Set(d.Place("", path), name, value) }
}

func at(steps ...Step) Path { return Path(steps) }

func named(name string, keys ...string) Step {
	s := Step{Name: name}
	for i := 0; i+1 < len(keys); i += 2 {
		s.Keys = append(s.Keys, Key{Name: keys[i], Value: keys[i+1]})
	}
	return s
}

func TestChanges(t *testing.T) {
	sw := Step{Name: "system.webServer"}
	tests := []struct {
		name, in, want string
		do             change
	}{
		{"value", `<configuration><a b="1"/></configuration>`, `<configuration><a b="2"/></configuration>`, set("a", "b", "2")},
		{"same value", `<configuration><a b='&#49;'/></configuration>`, `<configuration><a b='&#49;'/></configuration>`, set("a", "b", "1")},
		{"quotes", `<configuration><a b='1' c="2"/></configuration>`, `<configuration><a b='it&apos;s "x" &lt; &amp; &#x9;' c="2"/></configuration>`, set("a", "b", "it's \"x\" < & \t")},
		{"new attribute, quote of the last", `<configuration><a b='1'/></configuration>`, `<configuration><a b='1' c='2'/></configuration>`, set("a", "c", "2")},
		{"new attribute, no attribute", `<configuration><a /></configuration>`, `<configuration><a c="2" /></configuration>`, set("a", "c", "2")},
		{"new attribute, one per line", "<configuration>\n<a b='1'\n   c='2'\n/></configuration>", "<configuration>\n<a b='1'\n   c='2'\n   d='3'\n/></configuration>", set("a", "d", "3")},
		{"new element in one line", `<configuration><a/></configuration>`, `<configuration><a/><b c="2"/></configuration>`, set("b", "c", "2")},
		{"new element, tabs and CRLF", "<configuration>\r\n\t<a/>\r\n</configuration>\r\n", "<configuration>\r\n\t<a/>\r\n\t<b>\r\n\t\t<c d=\"1\"/>\r\n\t</b>\r\n</configuration>\r\n", set("b/c", "d", "1")},
		{"unfolds", "<configuration>\n    <a />\n</configuration>", "<configuration>\n    <a>\n        <b c=\"1\" />\n    </a>\n</configuration>", set("a/b", "c", "1")},
		{"unfolds with attributes", "<configuration>\n  <a x=\"1\"/>\n</configuration>", "<configuration>\n  <a x=\"1\">\n    <b c=\"1\"/>\n  </a>\n</configuration>", set("a/b", "c", "1")},
		{"empty in lines", "<configuration>\n  <a>\n  </a>\n</configuration>", "<configuration>\n  <a>\n    <b c=\"1\" />\n  </a>\n</configuration>", set("a/b", "c", "1")},
		{"behind comments", "<configuration>\n  <a>\n    <!-- none -->\n  </a>\n</configuration>", "<configuration>\n  <a>\n    <!-- none -->\n    <b c=\"1\" />\n  </a>\n</configuration>", set("a/b", "c", "1")},
		{"root in one line", `<configuration></configuration>`, "<configuration>\n  <a b=\"1\" />\n</configuration>", set("a", "b", "1")},
		{"byte order mark", "\xef\xbb\xbf<configuration/>", "\xef\xbb\xbf<configuration>\n  <a b=\"1\"/>\n</configuration>", set("a", "b", "1")},
		{"second group", `<configuration><g><a/></g><g><b/></g></configuration>`, `<configuration><g><a/></g><g><b c="1"/></g></configuration>`, set("g/b", "c", "1")},
		{"in the location of the file", `<configuration><location path="."><g><a/></g></location></configuration>`, `<configuration><location path="."><g><a c="1"/></g></location></configuration>`, set("g/a", "c", "1")},
		{"entry behind its like", "<configuration>\n  <c>\n    <add k=\"1\" /> <!-- one -->\n    <other />\n  </c>\n</configuration>",
			"<configuration>\n  <c>\n    <add k=\"1\" /> <!-- one -->\n    <add k=\"2\" v=\"x\" />\n    <other />\n  </c>\n</configuration>",
			func(d *Document) error { return d.Add(Elements("c"), named("add", "k", "2", "v", "x")) }},
		{"entry by key, any case", `<configuration><c><add k="ONE"/></c></configuration>`, `<configuration><c><add k="ONE" v="2"/></c></configuration>`,
			func(d *Document) error { return d.Set(at(Step{Name: "c"}, named("add", "k", "one")), "v", "2") }},
		{"entry by key, exact", `<configuration><c><add k="ONE"/></c></configuration>`, `<configuration><c><add k="ONE"/><add k="one" v="2"/></c></configuration>`,
			func(d *Document) error {
				return d.Set(at(Step{Name: "c"}, Step{Name: "add", Keys: []Key{{Name: "k", Value: "one", Exact: true}}}), "v", "2")
			}},
		{"key with a default", `<configuration><c><e s="404"/></c></configuration>`, `<configuration><c><e s="404" p="x"/></c></configuration>`,
			func(d *Document) error {
				return d.Set(at(Step{Name: "c"}, Step{Name: "e", Keys: []Key{{Name: "s", Value: "404"}, {Name: "u", Value: "-1", Default: "-1"}}}), "p", "x")
			}},
		{"location", "<configuration>\n  <a />\n</configuration>", "<configuration>\n  <a />\n  <location path=\"S/x\">\n    <system.webServer>\n      <b c=\"1\" />\n    </system.webServer>\n  </location>\n</configuration>",
			func(d *Document) error { return d.Set(d.Place("S/x", "system.webServer/b"), "c", "1") }},
		{"location that locks is left alone", "<configuration><location path=\"S\" overrideMode=\"Deny\"><g><a/></g></location></configuration>",
			"<configuration><location path=\"S\" overrideMode=\"Deny\"><g><a/></g></location><location path=\"S\"><g><b c=\"1\"/></g></location></configuration>",
			func(d *Document) error { return d.Set(d.Place("S", "g/b"), "c", "1") }},
		{"first", "<configuration>\n  <c>\n    <!-- x -->\n    <add k=\"1\" />\n  </c>\n</configuration>", "<configuration>\n  <c>\n    <!-- x -->\n    <clear />\n    <add k=\"1\" />\n  </c>\n</configuration>",
			func(d *Document) error { return d.First(Elements("c"), Step{Name: "clear"}) }},
		{"first in one line", "<configuration><c><add k='1'/></c></configuration>", "<configuration><c><clear/><add k='1'/></c></configuration>",
			func(d *Document) error { return d.First(Elements("c"), Step{Name: "clear"}) }},
		{"first of none", "<configuration>\n  <c />\n</configuration>", "<configuration>\n  <c>\n    <clear />\n  </c>\n</configuration>",
			func(d *Document) error { return d.First(Elements("c"), Step{Name: "clear"}) }},
		{"remove with its line", "<configuration>\n  <a/>\n\n  <!-- b -->\n  <b/>\n  <c/>\n</configuration>", "<configuration>\n  <a/>\n\n  <!-- b -->\n  <c/>\n</configuration>",
			func(d *Document) error { _, err := d.Remove(Elements("b")); return err }},
		{"remove in a line", "<configuration>\n  <a/><b/> <!-- x -->\n</configuration>", "<configuration>\n  <a/> <!-- x -->\n</configuration>",
			func(d *Document) error { _, err := d.Remove(Elements("b")); return err }},
		{"unset prunes", "<configuration>\n  <x/>\n  <system.webServer>\n    <b c='1'/>\n  </system.webServer>\n</configuration>", "<configuration>\n  <x/>\n</configuration>",
			func(d *Document) error { _, err := d.Unset(at(sw, Step{Name: "b"}), "c"); return err }},
		{"unset keeps what says something", "<configuration>\n  <g>\n    <!-- why -->\n    <b c='1'/>\n  </g>\n</configuration>", "<configuration>\n  <g>\n    <!-- why -->\n  </g>\n</configuration>",
			func(d *Document) error { _, err := d.Unset(Elements("g/b"), "c"); return err }},
		{"unset folds", "<configuration>\n  <g x='1'>\n    <b c='1'/>\n  </g>\n</configuration>", "<configuration>\n  <g x='1'/>\n</configuration>",
			func(d *Document) error { _, err := d.Unset(Elements("g/b"), "c"); return err }},
		{"unset of an attribute alone folds nothing", "<configuration><g x='1' y='2'></g></configuration>", "<configuration><g x='1'></g></configuration>",
			func(d *Document) error { _, err := d.Unset(Elements("g"), "y"); return err }},
		{"unset takes an element with it that says nothing", "<configuration>\n  <b c='1' />\n</configuration>", "<configuration>\n</configuration>",
			func(d *Document) error { _, err := d.Unset(Elements("b"), "c"); return err }},
		{"unset in a lock keeps the lock", `<configuration><location path="S" overrideMode="Deny"><g><b c="1"/></g></location></configuration>`,
			`<configuration><location path="S" overrideMode="Deny"><g><b/></g></location></configuration>`,
			func(d *Document) error { _, err := d.Unset(d.Place("S", "g/b"), "c"); return err }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Parse([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.do(d); err != nil {
				t.Fatal(err)
			}
			if got := string(d.Bytes()); got != tt.want {
				t.Errorf("got\n%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

func TestOverride(t *testing.T) {
	tests := []struct{ name, in, location, mode, want string }{
		{"not there", "<configuration>\n</configuration>", "", "Deny",
			"<configuration>\n  <location path=\".\" overrideMode=\"Deny\">\n    <g>\n      <b />\n    </g>\n  </location>\n</configuration>"},
		{"alone in its tag", `<configuration><location path="S"><g><b c="1"/></g></location></configuration>`, "S", "Allow",
			`<configuration><location path="S" overrideMode="Allow"><g><b c="1"/></g></location></configuration>`},
		{"already", `<configuration><location path="S" overrideMode="Deny"><g><b/></g></location></configuration>`, "S", "Deny",
			`<configuration><location path="S" overrideMode="Deny"><g><b/></g></location></configuration>`},
		{"older spelling", `<configuration><location path="S" allowOverride="false"><g><b/></g></location></configuration>`, "S", "Allow",
			`<configuration><location path="S" allowOverride="true"><g><b/></g></location></configuration>`},
		{"bare moves", "<configuration>\n\t<g>\n\t\t<a/>\n\t\t<b c=\"1\">\n\t\t\t<!-- why -->\n\n\t\t\t<d/>\n\t\t</b>\n\t</g>\n</configuration>", "", "Deny",
			"<configuration>\n\t<g>\n\t\t<a/>\n\t</g>\n\t<location path=\".\" overrideMode=\"Deny\">\n\t\t<g>\n\t\t\t<b c=\"1\">\n\t\t\t\t<!-- why -->\n\n\t\t\t\t<d/>\n\t\t\t</b>\n\t\t</g>\n\t</location>\n</configuration>"},
		{"beside others moves", `<configuration><location path="S"><g><a/><b/></g></location></configuration>`, "S", "Deny",
			`<configuration><location path="S"><g><a/></g></location><location path="S" overrideMode="Deny"><g><b/></g></location></configuration>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Parse([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Override(tt.location, "g/b", tt.mode); err != nil {
				t.Fatal(err)
			}
			if got := string(d.Bytes()); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestCodePagesStay edits files in the encoding that they have.
func TestCodePagesStay(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		do             change
	}{
		{"code page", "<?xml version='1.0' encoding='windows-1252'?>\n<configuration><!-- \xfc\x81 --><a b='\x80'/></configuration>", "<?xml version='1.0' encoding='windows-1252'?>\n<configuration><!-- \xfc\x81 --><a b='\xdf\x80&#1071;'/></configuration>", set("a", "b", "ß€Я")},
		{"latin 1", "<?xml version='1.0' encoding='iso-8859-1'?>\n<configuration><a b='\xfc\x80'/></configuration>", "<?xml version='1.0' encoding='iso-8859-1'?>\n<configuration><a b='\xfc\x80' c='\xdf&#8364;'/></configuration>", set("a", "c", "ß€")},
		{"ASCII", "<?xml version='1.0' encoding='us-ascii'?>\n<configuration><a/></configuration>", "<?xml version='1.0' encoding='us-ascii'?>\n<configuration><a b=\"&#223;\"/></configuration>", set("a", "b", "ß")},
	} {
		d, err := Parse([]byte(tt.in))
		if err != nil {
			t.Fatal(err)
		}
		if err := tt.do(d); err != nil {
			t.Fatal(err)
		}
		if got := string(d.Bytes()); got != tt.want {
			t.Errorf("%s: got\n%q\nwant\n%q", tt.name, got, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	deep := strings.Repeat("<a>", maxDepth+1) + strings.Repeat("</a>", maxDepth+1)
	for _, in := range []string{"", "text", "<a>", "<a></b>", "<a/><b/>", `<a b="1" b="2"/>`, `<a b="1"c="2"/>`, "<!DOCTYPE a><a/>", "\xff\xfe<\x00", deep} {
		if _, err := Parse([]byte(in)); err == nil {
			t.Errorf("%q was taken", in)
		}
	}
	for _, in := range []string{"\xff\xfe<\x00", "<?xml version='1.0' encoding='koi8-r'?><a b='\xe4'/>", "<?xml version='1.0' encoding='us-ascii'?><a b='\xe4'/>"} {
		if _, err := Parse([]byte(in)); err == nil || !strings.Contains(err.Error(), "save it as UTF-8 first") {
			t.Errorf("%q: %v", in, err)
		}
	}
	if _, err := Parse([]byte(strings.Repeat("<a>", maxDepth) + strings.Repeat("</a>", maxDepth))); err != nil {
		t.Errorf("depth %d: %v", maxDepth, err)
	}
}

func TestNothingBecomesMarkup(t *testing.T) {
	d := Empty()
	before := string(d.Bytes())
	for _, bad := range []struct{ element, name, value string }{
		{"a", "b", "\x01"}, {"a", "b", "\xff"}, {"a", "b=\"1\" c", "x"}, {"a", "", "x"}, {"a><b", "c", "x"}, {"1a", "c", "x"}, {"a", "b", "\uFFFE"},
	} {
		if err := d.Set(Elements(bad.element), bad.name, bad.value); err == nil {
			t.Errorf("%+v was taken", bad)
		}
		if got := string(d.Bytes()); got != before {
			t.Fatalf("%+v was refused and left\n%s", bad, got)
		}
	}
	if err := d.Set(Elements("a"), "b", `"/><evil x="`); err != nil {
		t.Fatal(err)
	}
	if v, ok := d.Get(Elements("a"), "b"); !ok || v != `"/><evil x="` {
		t.Errorf("came back as %q", v)
	}
	if d.Has(Elements("evil")) || before == string(d.Bytes()) {
		t.Errorf("%s", d.Bytes())
	}
}
