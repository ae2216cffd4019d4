package config

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestValues(t *testing.T) {
	flags := []Value{{"None", 0}, {"Date", 2}, {"Time", 4}, {"Size", 8}}
	for name, c := range map[string]struct {
		a       Attribute
		good    map[string]string // written to canonical
		refused []string
	}{
		"bool": {Attribute{Type: Bool}, map[string]string{"true": "true", "True": "true", "FALSE": "false"}, []string{"", "1", "yes", " true"}},
		"enum": {Attribute{Type: Enum, Values: flags}, map[string]string{"Date": "Date", "sIZE": "Size"}, []string{"", "Dat", "Date,Time", "2"}},
		"flags": {Attribute{Type: Flags, Values: flags}, map[string]string{"": "", "None": "", "Time,Date": "Date, Time", " size , Size ": "Size", "None, Date": "Date"},
			[]string{"Date,", "Date Time", "x", ","}},
		"uint":  {Attribute{Type: Uint}, map[string]string{"0": "0", "007": "7", "4294967295": "4294967295"}, []string{"", "-1", "+1", "4294967296", "1.0", "0x10", " 1", "9999999999999999999999"}},
		"int":   {Attribute{Type: Int}, map[string]string{"-2147483648": "-2147483648", "2147483647": "2147483647"}, []string{"2147483648", "-2147483649"}},
		"int64": {Attribute{Type: Int64}, map[string]string{"9223372036854775807": "9223372036854775807", "-9223372036854775808": "-9223372036854775808"}, []string{"9223372036854775808"}},
		"span": {Attribute{Type: TimeSpan}, map[string]string{"00:00:00": "", "23:59:59": "", "1.00:00:00": "", "1:2:3": "", "106750.23:59:59": "", "00:00:00.5": ""},
			[]string{"", "24:00:00", "00:60:00", "00:00:60", "1:00", "Infinite", "infinite", "120", "106751.00:00:00", "1.1.1:00:00", "00:00:00.12345678", "00:00:00.", "a:b:c", "-1.-1:00:00"}},
		"infinite": {Attribute{Type: TimeSpan, AllowInfinite: true}, map[string]string{"Infinite": "Infinite", "infinite": "Infinite", "00:00:01": ""}, []string{"inf"}},
		"seconds":  {Attribute{Type: TimeSpan, TimeFormat: Seconds}, map[string]string{"120": "120"}, []string{"00:02:00", "-1", "99999999999999"}},
		"string":   {Attribute{Type: String}, map[string]string{"": "", " x ": " x "}, nil},
		"nonsense": {Attribute{Type: "x"}, nil, []string{"1"}},
	} {
		for written, want := range c.good {
			if want == "" && c.a.Type == TimeSpan {
				want = written
			}
			if v, err := c.a.parse(written); err != nil || v.text != want {
				t.Errorf("%s %q: %q, %v, want %q", name, written, v.text, err, want)
			}
		}
		for _, written := range c.refused {
			if v, err := c.a.parse(written); err == nil {
				t.Errorf("%s %q: accepted as %q", name, written, v.text)
			}
		}
	}
}

func TestTimeSpans(t *testing.T) {
	for written, want := range map[string]time.Duration{
		"00:00:01": time.Second, "1.02:03:04": 26*time.Hour + 3*time.Minute + 4*time.Second, "00:00:00.5": time.Second / 2,
		"00:00:00.0000001": 100, "-00:01:00": -time.Minute,
	} {
		if got, ok := parseHMS(written); !ok || got != want {
			t.Errorf("%s: %v %v", written, got, ok)
		}
	}
	v, err := (&Attribute{Type: TimeSpan, TimeFormat: Minutes}).parse("3")
	if err != nil || time.Duration(v.num) != 3*time.Minute {
		t.Errorf("minutes: %v %v", time.Duration(v.num), err)
	}
	if Infinite != math.MaxInt64 {
		t.Error("Infinite")
	}
}

func TestChecks(t *testing.T) {
	for name, c := range map[string]struct {
		check         Check
		good, refused []string
	}{
		"integer range":   {IntegerRange(4096, 2147483647), []string{"4096", "2147483647"}, []string{"4095", "2147483648", "x"}},
		"integer outside": {IntegerOutside(0, 1023), []string{"1024", "4294967295", "-1"}, []string{"0", "1023", ""}},
		"span range":      {TimeSpanRange(0, 86400, 1), []string{"00:00:00", "1.00:00:00"}, []string{"1.00:00:01", "00:00:00.5", "-00:00:01", "x"}},
		"span steps":      {TimeSpanRange(60, 600, 60), []string{"00:01:00", "00:10:00"}, []string{"00:00:59", "00:01:30", "00:11:00"}},
		"non-empty":       {NonEmpty(), []string{" "}, []string{""}},
		"site name":       {siteName, []string{"Default Web Site"}, []string{"", "a/b", "a?", `a\b`}},
		"url path":        {urlPath, []string{"/", "/a", "/a/b.c"}, []string{"", "a", "/a/", "/a//b", "/a/../b", "/.", `/a\b`, "/a?"}},
	} {
		for _, s := range c.good {
			if err := c.check(s); err != nil {
				t.Errorf("%s %q: %v", name, s, err)
			}
		}
		for _, s := range c.refused {
			if c.check(s) == nil {
				t.Errorf("%s %q: accepted", name, s)
			}
		}
	}
}

func TestExpand(t *testing.T) {
	env := func(name string) string { return map[string]string{"HOME": "/h", "A B": "ab", "PCT": "%HOME%"}[name] }
	for written, want := range map[string]string{
		"": "", "x": "x", "%HOME%": "/h", "a%HOME%b%A B%": "a/hbab", "%NONE%": "%NONE%", "50% of %HOME%": "50% of /h", "%%": "%%", "%": "%", "%HOME": "%HOME", "%PCT%": "%HOME%", "100%%HOME%": "100%/h",
	} {
		if got := expand(written, env); got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
	}
	w := newWorld(t, map[string]string{"root/web.config": ws(`<httpErrors defaultPath="%WHERE%/x"/><staticContent defaultDocFooter="%WHERE%"/>`)})
	w.env["WHERE"] = "there"
	e, err := w.open().Effective("Site", "/")
	if err != nil {
		t.Fatal(err)
	}
	type errs struct {
		Path string `config:"defaultPath"`
	}
	type static struct {
		Footer string `config:"defaultDocFooter"`
	}
	got, err1 := Decode[errs](e, "system.webServer/httpErrors")
	not, err2 := Decode[static](e, "system.webServer/staticContent")
	if err1 != nil || err2 != nil || got.Path != "there/x" || not.Footer != "%WHERE%" {
		t.Errorf("%+v %+v %v %v", got, not, err1, err2)
	}
}

func TestAttributeFaults(t *testing.T) {
	bad := func(message string) fault { return fault{HResultMalformed, "root/web.config:1:", message, "", ""} }
	open := `<location path="Site" overrideMode="Allow">` + ws(`<webSocket/><security><access/></security>`) + `</location>`
	for name, c := range map[string]struct {
		inner string
		want  fault
	}{
		"all good":      {`<webSocket enabled="FALSE" receiveBufferLimit="4096" pingInterval="1.00:00:00"/>`, fault{}},
		"unknown":       {`<webSocket enabeld="true"/>`, bad(`<webSocket> has no attribute "enabeld"; did you mean "enabled"?`)},
		"wrong case":    {`<webSocket Enabled="true"/>`, bad(`did you mean "enabled"?`)},
		"no bool":       {`<webSocket enabled="on"/>`, bad(`enabled="on": must be true or false`)},
		"below range":   {`<webSocket receiveBufferLimit="4095"/>`, bad("from 4096 to 2147483647")},
		"above range":   {`<webSocket pingInterval="1.00:00:01"/>`, bad("from 0 to 86400 seconds")},
		"enum":          {`<staticContent><clientCache cacheControlMode="UseMaxAg"/></staticContent>`, bad(`must be one of NoControl, DisableCache, UseMaxAge; did you mean "UseMaxAge"?`)},
		"flags":         {`<security><access sslFlags="Ssl, Nego"/></security>`, bad(`"Nego" is none of None, Ssl, SslNegotiateCert, SslRequireCert`)},
		"transform":     {`<webSocket xdt:Transform="Insert"/>`, fault{HResultMalformed, "root/web.config:1:", `no attribute "xdt:Transform"`, "", "web.Release.config"}},
		"unknown child": {`<webSocket><x/></webSocket>`, bad(`<webSocket> has no element <x>`)},
		"open element":  {`<open anything="goes" known="1"/>`, fault{}},
		"not all goes":  {`<open known="x"/>`, bad("must be a whole number")},
		"merge append":  {`<staticContent mergeAppend="x"/>`, bad("mergeAppend")},
		"no collection": {`<webSocket mergeAppend="true"/>`, bad(`no attribute "mergeAppend"`)},
	} {
		newWorld(t, map[string]string{"apphost": open, "root/web.config": ws(c.inner)}).check(name, "/", c.want)
	}
}

func TestSchemaFaults(t *testing.T) {
	key := []Attribute{{Name: "k", Type: String, Key: true}}
	for want, s := range map[string]Section{
		"declared twice or its name is reserved": {Path: "a", Element: Element{Name: "a", Attributes: []Attribute{{Name: "lockItem", Type: Bool}}}},
		"default of":                             {Path: "a", Element: Element{Name: "a", Attributes: []Attribute{{Name: "x", Type: Bool, Default: "on"}}}},
		"unknown type":                           {Path: "a", Element: Element{Name: "a", Attributes: []Attribute{{Name: "x"}}}},
		"names no values":                        {Path: "a", Element: Element{Name: "a", Attributes: []Attribute{{Name: "x", Type: Enum}}}},
		"collection has no key":                  {Path: "a", Element: Element{Name: "a", Collection: &Collection{Add: Element{Name: "add"}}}},
		"is ambiguous":                           {Path: "a", Element: Element{Name: "a", Collection: &Collection{Add: Element{Name: "add", Attributes: key}, Remove: "add"}}},
		"element is named":                       {Path: "a/b", Element: Element{Name: "a"}},
		"overrideModeDefault":                    {Path: "a", OverrideModeDefault: "No", Element: Element{Name: "a"}},
		"allowDefinition":                        {Path: "a", AllowDefinition: "No", Element: Element{Name: "a"}},
		"is not declared":                        {Path: "a", LockAttributes: []string{"x"}, Element: Element{Name: "a"}},
		"element \"x\" is declared twice":        {Path: "a", Element: Element{Name: "a", Elements: []Element{{Name: "x"}, {Name: "x"}}}},
		"only groups nest":                       {Path: "top", Element: Element{Name: "top"}},
		"it has no name":                         {Path: "a/", Element: Element{}},
	} {
		other := Section{Path: "top/below", Element: Element{Name: "below"}}
		_, err := NewSchema([]Section{s, other, other}, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `"top/below" is declared twice`) {
			t.Errorf("%s: %v", want, err)
		}
	}
	free := Section{Path: "a", Element: Element{Name: "a", Collection: &Collection{AllowDuplicates: true, Add: Element{Name: "add"}}}}
	if _, err := NewSchema([]Section{free}, nil); err != nil {
		t.Errorf("a collection of duplicates needs no key: %v", err)
	}
}

// FuzzValues reads what was written by every type; the canonical form must read the same again.
func FuzzValues(f *testing.F) {
	for _, seed := range []string{"", "true", "FALSE", "None, Date", "-1", "4294967295", "1.02:03:04.5", "Infinite", "%A%%B", "*:80:", "[::1]:80:x", "/a/b"} {
		f.Add(seed)
	}
	values := []Value{{"None", 0}, {"Date", 2}, {"Time", 4}}
	f.Fuzz(func(t *testing.T, written string) {
		for _, a := range []Attribute{
			{Type: Bool}, {Type: Enum, Values: values}, {Type: Flags, Values: values}, {Type: Uint}, {Type: Int}, {Type: Int64},
			{Type: TimeSpan, AllowInfinite: true}, {Type: TimeSpan, TimeFormat: Seconds}, {Type: String},
		} {
			v, err := a.parse(written)
			if err != nil {
				continue
			}
			if again, err := a.parse(v.text); err != nil || again.num != v.num || again.text != v.text {
				t.Errorf("%s %q: %+v, then %+v, %v", a.Type, written, v, again, err)
			}
		}
		if got := expand(written, func(string) string { return "" }); got != written {
			t.Errorf("expand without an environment: %q from %q", got, written)
		}
		if _, port, host, problem := parseBinding(written); problem == "" && (port < 0 || port > 65535 || strings.ContainsAny(host, ":/")) {
			t.Errorf("binding %q: %d %q", written, port, host)
		}
		if p, ok := cleanPath(written); ok && (p[0] != '/' || strings.Contains(p+"/", "/../") || strings.ContainsAny(p, "\\\x00")) {
			t.Errorf("path %q from %q", p, written)
		}
		for _, server := range []bool{true, false} {
			if p, problem := locationPath(written, server); problem == "" && strings.Contains("/"+p+"/", "/../") {
				t.Errorf("location %q", p)
			}
		}
	})
}
