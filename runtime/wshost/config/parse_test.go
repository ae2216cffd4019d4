package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseAccepts(t *testing.T) {
	for name, src := range map[string]string{
		"plain":          `<?xml version="1.0" encoding="utf-8"?><configuration/>`,
		"no declaration": `<configuration></configuration>`,
		"bom and crlf":   "\xef\xbb\xbf<?xml version=\"1.0\"?>\r\n<configuration>\r\n</configuration>\r\n",
		"latin label":    `<?xml version="1.0" encoding="ISO-8859-1"?><configuration/>`,
		"old namespace":  `<configuration xmlns="http://schemas.microsoft.com/.NetConfiguration/v2.0"/>`,
		"comment last":   "<configuration/>\n<!-- end -->",
		"cdata ignored":  `<configuration><system.web><![CDATA[x]]></system.web></configuration>`,
	} {
		doc, err := parse("f", []byte(src), testSchema(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if f := bind(doc, false, false, nil); len(f.faults) > 0 {
			t.Errorf("%s: %v", name, f.faults[0])
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		src, pos, message string
	}{
		"utf-16 cut off":      {"\xff\xfe<\x00c", "f:1:1", "ends within a character"},
		"utf-16 half a pair":  {"\xff\xfe<\x00\x00\xd8c\x00", "f:1:1", "half a character"},
		"utf-16 pair cut off": {"\xff\xfe<\x00\x00\xd8", "f:1:1", "half a character"},
		"utf-16 only a mark":  {"\xfe\xff", "f:1:1", "no element"},
		"utf-32 le":           {"\xff\xfe\x00\x00<\x00\x00\x00", "f:1:1", "UTF-32"},
		"utf-32 be no mark":   {"\x00\x00\x00<", "f:1:1", "UTF-32"},
		"utf-16 label":        {`<?xml version="1.0" encoding="utf-16"?><configuration/>`, "f:1:1", `declares the encoding "utf-16" and is not saved in it`},
		"another code page":   {"<?xml version=\"1.0\" encoding=\"windows-1251\"?>\n<configuration a=\"\xe4\"/>", "f:2:19", `declares the encoding "windows-1251", which cannot be read`},
		"no ASCII after all":  {"<?xml version=\"1.0\" encoding=\"us-ascii\"?>\n<configuration a=\"\xe4\"/>", "f:2:19", `declares the encoding "us-ascii", and there is a character`},
		"blank before":        {"\n<?xml version=\"1.0\"?><configuration/>", "f:2:1", "very first"},
		"dashes before":       {"---\n<?xml version=\"1.0\"?><configuration/>", "f:1:1", "before the root"},
		"text after":          {"<configuration/>\n x", "f:2:2", "after the end of <configuration>"},
		"second root":         {"<configuration/>\n<configuration/>", "f:2:1", "second root"},
		"empty":               {"", "f:1:1", "no element"},
		"doctype":             {"<!DOCTYPE x>\n<configuration/>", "f:1:1", "document type"},
		"billion laughs":      {"<!DOCTYPE l [<!ENTITY a \"b\"><!ENTITY c \"&a;&a;\">]>\n<configuration>&c;</configuration>", "f:1:1", "document type"},
		"unknown entity":      {"<configuration>\n<a b=\"x&yz\"/></configuration>", "f:2:8", "&"},
		"unquoted":            {"<configuration>\n  <a b=c/></configuration>", "f:2:8", "quotation marks"},
		"missing quote":       {"<configuration>\n<a b=\"c>\n<d/></configuration>", "f:3:1", "< inside an attribute"},
		"comment dashes":      {"<configuration>\n<!-- a -- b --></configuration>", "f:2:", `"--" inside a comment`},
		"broken comment":      {"<configuration>\n< ! -- a --></configuration>", "f:2:1", "name was expected"},
		"cut off":             {"<configuration>\n <system.web>\n", "f:2:14", "before <system.web> of line 2 is closed"},
		"crossed":             {"<configuration>\n<a></configuration>", "f:2:4", "closed by"},
		"double attribute":    {"<configuration>\n<a b='1' b='2'/></configuration>", "f:2:1", "twice"},
		"no space":            {"<configuration>\n<a b='1'c='2'/></configuration>", "f:2:9", "white space"},
		"control character":   {"<configuration>\n\x01</configuration>", "f:2:", "does not allow"},
		"not utf-8":           {"<configuration>\n\xff</configuration>", "f:2:", "not UTF-8"},
		"many attributes":     {"<configuration" + attributes(maxAttributes+1) + "/>", "f:1:1", "more than 128 attributes"},
		"deep":                {strings.Repeat("<a>", maxDepth+1), fmt.Sprintf("f:1:%d", 3*maxDepth+1), "deeper than 64"},
		"many elements":       {"<a>" + strings.Repeat("<b/>", maxElements), "f:1:262144", "more than 65536 elements"},
		"larger than allowed": {"<a>" + strings.Repeat(" ", maxFileSize-6) + "</a>", "f", "larger than 8 MiB"},
	} {
		_, err := parse("f", []byte(c.src), testSchema(t))
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if !strings.HasPrefix(err.Pos.String(), c.pos) || !strings.Contains(err.Message, c.message) || err.HResult != HResultMalformed {
			t.Errorf("%s: %v (0x%x), want %s %s", name, err, err.HResult, c.pos, c.message)
		}
	}
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " a%d=''", i)
	}
	return b.String()
}

func TestParseLimitsInside(t *testing.T) {
	for name, src := range map[string]string{
		"attributes": "<configuration" + attributes(maxAttributes) + "/>",
		"depth":      strings.Repeat("<a>", maxDepth) + strings.Repeat("</a>", maxDepth),
		"elements":   "<a>" + strings.Repeat("<b/>", maxElements-1) + "</a>",
		"size":       "<a>" + strings.Repeat(" ", maxFileSize-7) + "</a>",
	} {
		if _, err := parse("f", []byte(src), testSchema(t)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPositionsOfAttributes(t *testing.T) {
	src := "\xef\xbb\xbf<configuration>\r\n\t<a\r\n  one = 'x&amp;>'\r\n\tp:two=\"2\"/>\r\n</configuration>"
	doc, err := parse("f", []byte(src), testSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	a := doc.root.kids[0]
	if got := a.place().pos().String(); got != "f:2:2" {
		t.Errorf("element at %s", got)
	}
	for i, want := range []struct{ name, value, pos string }{{"one", "x&>", "f:3:3"}, {"p:two", "2", "f:4:2"}} {
		got := a.attrs[i]
		if got.name != want.name || got.value != want.value || doc.pos(got.start).String() != want.pos {
			t.Errorf("attribute %+v at %s, want %+v", got, doc.pos(got.start), want)
		}
	}
	if got := string(doc.src[a.attrs[0].valStart:a.attrs[0].valStop]); got != "x&amp;>" {
		t.Errorf("raw value %q", got)
	}
}

// TestExcerptHidesForeignSections: what is near a fault may be a password.
func TestExcerptHidesForeignSections(t *testing.T) {
	const secret = "s3cret"
	conn := `<connectionStrings><add name="x" connectionString="pw=` + secret + `"/></connectionStrings>`
	for name, body := range map[string]string{
		"next to it":         conn + "\n" + ws(`<webSocket enabled="no"/>`) + "\n" + conn,
		"on one line":        conn + ws(`<webSocket enabled="no"/>`) + conn,
		"comment":            "<!-- " + conn + " -->\n" + ws(`<webSocket enabled="no"/>`),
		"secret attribute":   ws("<security><access apiKey=\"" + secret + "\"\n sslFlags=\"no\"/></security>"),
		"value of a secret":  ws(`<security><access apiKey="bad-secret"/></security>`),
		"broken inside":      `<connectionStrings><add connectionString="` + secret + `&bad"/></connectionStrings>`,
		"entity is a secret": `<connectionStrings><add connectionString="pw&` + secret + `;"/></connectionStrings>`,
		"broken tag":         `<connectionStrings a="` + secret + `" b=c/>`,
		"broken before":      ws(`<webSocket enabled=true/>`) + conn,
		"broken comment":     `<!-- -- ` + conn + ` -->`,
		"broken secret":      ws(`<security><access apiKey="` + secret + `" x=1/></security>`),
		"not closed":         "<connectionStrings>\n<add password='" + secret + "'/>\n",
		"not installed":      ws(`<rewrite token="` + secret + `"/>`),
		"text":               secret + " &bad;",
		"uninstalled inside": ws("<rewrite>\n<rules pw='" + secret + "'/></rewrite>"),
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "web.config")
		if err := os.WriteFile(path, []byte("<configuration>\n"+body+"\n</configuration>"), 0o644); err != nil {
			t.Fatal(err)
		}
		errs := CheckFile(path, testSchema(t))
		if len(errs) == 0 {
			t.Errorf("%s: no fault found", name)
		}
		for _, e := range errs {
			if len(e.Source.Lines) == 0 {
				t.Errorf("%s: no excerpt", name)
			}
			if all := fmt.Sprintf("%+v", *e); strings.Contains(all, secret) || strings.Contains(all, "bad-secret") {
				t.Errorf("%s: the secret is shown: %s", name, all)
			}
		}
	}
}

func TestExcerptShowsTheLine(t *testing.T) {
	src := "<configuration>\r\n  <system.webServer>\r\n    <webSocket enabled=\"no\"/>\r\n  </system.webServer>\r\n</configuration>"
	path := filepath.Join(t.TempDir(), "web.config")
	if err := os.WriteFile(path, []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	errs := CheckFile(path, testSchema(t))
	if len(errs) != 1 {
		t.Fatal(errs)
	}
	want := "[  <system.webServer>     <webSocket enabled=\"no\"/>   </system.webServer>]"
	if got := fmt.Sprint(errs[0].Source.Lines); got != want || errs[0].Source.First != 2 {
		t.Errorf("from line %d: %q", errs[0].Source.First, got)
	}
	if errs[0].Pos.Line != 3 || errs[0].Pos.Column != 16 {
		t.Errorf("at %v", errs[0].Pos)
	}
}

func TestExcerptOfALongLine(t *testing.T) {
	long := ws(`<staticContent defaultDocFooter="`+strings.Repeat("x", 5000)+`"/>`) + ws(`<webSocket enabled="no"/>`)
	path := filepath.Join(t.TempDir(), "web.config")
	if err := os.WriteFile(path, []byte("<configuration>"+long+"</configuration>"), 0o644); err != nil {
		t.Fatal(err)
	}
	errs := CheckFile(path, testSchema(t))
	if len(errs) != 1 || len(errs[0].Source.Lines[0]) > maxExcerptLine+2*len(masked) || !strings.Contains(errs[0].Source.Lines[0], `<webSocket enabled="no"/>`) {
		t.Errorf("%+v", errs)
	}
}

// TestManyFaults: a file that is wrong everywhere costs no more than one that is wrong often enough.
func TestManyFaults(t *testing.T) {
	const many = 20000
	for name, body := range map[string]string{
		"unknown sections": strings.Repeat("<a/>", many),
		"same section":     strings.Repeat(ws("<open/>"), many),
		"bad values":       ws("<staticContent>" + strings.Repeat("<mimeMap/>", many) + "</staticContent>"),
		"bad locations":    strings.Repeat("<location path='/'/>", many),
		"declarations":     "<configSections>" + strings.Repeat("<x/>", many) + "</configSections>",
		"locked names":     ws(`<open lockAttributes="` + strings.Repeat("a,b,", many) + numbers(many) + `"/>`),
		"one long value":   ws(`<webSocket enabled="` + strings.Repeat("x", 1<<20) + `"/>`),
	} {
		doc, err := parse("web.config", []byte("<configuration>"+body+"</configuration>"), testSchema(t))
		if err != nil {
			t.Fatal(name, err)
		}
		f := bind(doc, false, false, nil)
		tree := &Tree{o: Options{Schema: testSchema(t), Getenv: os.Getenv}}
		errs, _ := tree.checkUses(f)
		errs = append(f.faults, errs...)
		if len(errs) == 0 || len(errs) > maxFaults+1 {
			t.Errorf("%s: %d faults", name, len(errs))
		}
		for _, e := range errs {
			if len(e.Message) > maxMessage+len(masked) || len(e.Hint) > maxMessage+len(masked) {
				t.Errorf("%s: a message of %d bytes", name, len(e.Message))
			}
		}
	}
}

func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "n%d,", i)
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "<configuration/>", "\xef\xbb\xbf<?xml version=\"1.0\"?>\r\n<configuration><location path='.'><system.webServer/></location></configuration>",
		"<configuration><system.webServer><webSocket enabled='no' x/></system.webServer>", "<!DOCTYPE a>", "<a b=\"c>\n<d/>", "<a><!-- -- -->",
		"<configuration><system.webServer><staticContent lockItem='true'><remove fileExtension='.x'/><mimeMap a='&#1;'/></staticContent></system.webServer></configuration>",
		"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>", "<?xml version='1.0' encoding='windows-1252'?><configuration><system.webServer><open any='\x80'/></system.webServer></configuration>", "<a/>\x00", "<a", "<a b='1'c='2'/>", "<a><![CDATA[ ]]>x</a>", "<p:a xmlns:p='q' p:b='1'/>",
		"<configuration><configSections><section name='webSocket'/></configSections><location path='a/../b' allowOverride='false' overrideMode='Deny'/></configuration>",
	} {
		f.Add([]byte(seed))
		f.Add(wide(seed, false, true))
	}
	schema := testSchema(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		check := func(e *Error) {
			lines := strings.Count(string(src), "\n") + 1
			if e.Pos.Line < 0 || e.Pos.Line > lines || e.Pos.Column < 0 || e.Pos.Column > 3*len(src)+1 { // as UTF-8 a character is longer
				t.Errorf("position %v of a file with %d lines", e.Pos, lines)
			}
			if e.Message == "" {
				t.Error("no message")
			}
		}
		for _, server := range []bool{false, true} {
			doc, err := parse("f", src, schema)
			if err != nil {
				check(err)
				return
			}
			file := bind(doc, server, false, nil)
			tree := &Tree{o: Options{Schema: schema, Getenv: func(string) string { return "" }}}
			errs, _ := tree.checkUses(file)
			for _, e := range append(file.faults, errs...) {
				check(e)
			}
		}
	})
}

func TestWhiteSpaceInValues(t *testing.T) {
	for written, want := range map[string]string{
		"a b": "a b", "a\nb": "a b", "a\r\nb": "a b", "a\tb": "a b", "a\n\t\tb": "a   b", "&lt;\n&gt;": "< >", "a&#10;b": "a\nb", "a&#xA;b": "a\nb",
	} {
		doc, err := parse("f", []byte(`<configuration><a v="`+written+`" /></configuration>`), testSchema(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := doc.root.kids[0].attrs[0].value; got != want {
			t.Errorf("%q: %q, want %q", written, got, want)
		}
	}
}
