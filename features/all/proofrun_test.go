package all_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// A variant is one of the two sides of a proof: a site, or a whole server.
type variant struct {
	*testHost
	p    *proof
	id   int
	name string // of the site, and its host name
	text string // of the section
	want string
	saw  string
	// What the configuration of the section says stands in the location tag of applicationHost.config where a web.config
	// may not say it.
	location bool
	g        *proofs
}

// fixture is what is in the folder of every site.
func fixture() map[string]string {
	return map[string]string{
		"a.txt": "0123456789", "b.txt": "b", "big.txt": prose(5000), "doc/index.html": "html", "doc/first.txt": "first", "sub/x.txt": "x",
		"own.htm": "own page", "de/own.htm": "eigen", "page.html": proofPage,
		"conf/a.txt": "a", "conf/web.config": `<configuration><system.webServer><httpRedirect enabled="true" destination="/x"/></system.webServer></configuration>`,
	}
}

// fill writes files into a folder.
func fill(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

const proofPage = `<a href="/old">old</a><img src="/old"><x-y link="/old"></x-y>`

// TestProofs runs the proofs: two sites for each on one host, or two hosts for what holds for a whole server.
func TestProofs(t *testing.T) {
	sections := map[string]config.Section{}
	for _, s := range proofSchema(t).Sections() {
		sections[s.Path] = s
	}
	var shared []*variant
	for _, g := range proven() {
		for i := range g.cases {
			p := &g.cases[i]
			if p.by != "" {
				continue
			}
			with, without, err := g.texts(p)
			if err == nil && p.want == p.otherwise {
				err = fmt.Errorf("both sides are said to be answered with %q", p.want)
			}
			if err != nil {
				t.Errorf("%s/%s: %v", g.section, p.of, err)
				continue
			}
			pair := []*variant{{p: p, g: &g, text: with, want: p.want}, {p: p, g: &g, text: without, want: p.otherwise}}
			if g.own {
				t.Run(g.section+"/"+p.of, func(t *testing.T) {
					t.Parallel()
					for _, v := range pair {
						v.proveAlone(t)
					}
				})
				continue
			}
			_, name, _ := strings.Cut(p.of, "@")
			s := sections[g.section]
			for _, v := range pair {
				v.location = p.atop || s.OverrideModeDefault == config.Deny || slices.Contains(s.LockAttributes, name)
				v.id = len(shared) + 1
				v.name = "s" + strconv.Itoa(v.id)
				shared = append(shared, v)
			}
		}
	}
	t.Run("sites", func(t *testing.T) {
		t.Parallel()
		proveTogether(t, shared)
	})
}

// proveTogether serves all variants as sites of one host.
func proveTogether(t *testing.T, variants []*variant) {
	home := newHome(t, append(everything(), "url-rewrite", "http-platform", "fastcgi", "cgi", "websocket-endpoints")...)
	files := fixture()
	var sites, locations strings.Builder
	for _, v := range variants {
		dir := filepath.Join(home, v.name)
		fill(t, dir, files)
		fmt.Fprintf(&sites, `<site name="%s" id="%d"><application path="/"><virtualDirectory path="/" physicalPath="%[1]s" /></application>`+
			`<bindings><binding protocol="http" bindingInformation="127.0.0.1:0:" /></bindings></site>`, v.name, v.id)
		own := v.g.nest(v.text)
		above := "<system.webServer>" + v.p.server + "</system.webServer>"
		if v.location {
			own, above = "", own+above
		}
		fmt.Fprintf(&locations, `<location path="%s">%s</location>`, v.name, above)
		write(t, filepath.Join(dir, "web.config"), strings.ReplaceAll("<configuration>"+own+v.g.others(v.p)+"</configuration>", "$SITE", dir))
	}
	write(t, filepath.Join(home, "config/applicationHost.config"), "<configuration><system.applicationHost><sites>"+sites.String()+
		"</sites></system.applicationHost>"+locations.String()+"</configuration>")
	h := startHost(t, home, app(proofApp))
	addresses := h.addresses()
	// Several at a time: programs take a while to start.
	var wg sync.WaitGroup
	next := make(chan *variant)
	for range 4 {
		wg.Go(func() {
			for v := range next {
				v.look()
			}
		})
	}
	for _, v := range variants {
		own := *h
		own.addr = addresses[v.name]
		v.testHost = &own
		next <- v
	}
	close(next)
	wg.Wait()
	h.stop()
	for _, v := range variants {
		v.judge(t)
	}
}

// addresses are those of the sites, by name. A binding is told as "http://name:port/".
func (h *testHost) addresses() map[string]string {
	out := map[string]string{}
	for _, s := range h.server.Status().Sites {
		for _, b := range s.Bindings {
			out[s.Name] = "127.0.0.1" + strings.TrimSuffix(b[strings.LastIndex(b, ":"):], "/")
		}
	}
	return out
}

// proveAlone serves a variant as a host of its own.
func (v *variant) proveAlone(t *testing.T) {
	home := newHome(t, append(everything(), "url-rewrite", "http-platform", "fastcgi", "cgi", "websocket-endpoints")...)
	fill(t, filepath.Join(home, "one"), fixture())
	proofCertificates(t, home)
	for _, dir := range []string{"one", "two"} {
		fill(t, filepath.Join(home, dir), map[string]string{"where.txt": dir})
	}
	whole := v.g.nest(v.text) + v.g.others(v.p) + "<system.webServer>" + v.p.server + "</system.webServer>"
	if !strings.Contains(whole, "<sites>") {
		whole += `<system.applicationHost>` + proofSites("", proofSite("", proofApps+proofBound)) + `</system.applicationHost>`
	}
	write(t, filepath.Join(home, "config/applicationHost.config"), "<configuration>"+whole+"</configuration>")
	v.name, v.id = "localhost", 1
	var err error
	if v.testHost, err = tryHost(t, home, app(proofApp)); err != nil {
		if v.saw = "no host"; v.want != v.saw {
			t.Error(err)
		}
		return
	}
	if addr := v.addresses()["one"]; addr != "" {
		v.addr = addr
	}
	v.look()
	v.stop()
	v.judge(t)
}

// nest puts a section into the groups that it stands in.
func (g *proofs) nest(text string) string {
	groups := strings.Split(g.section, "/")
	for _, name := range slices.Backward(groups[:len(groups)-1]) {
		text = "<" + name + ">" + text + "</" + name + ">"
	}
	return text
}

// others is the configuration of other sections.
func (g *proofs) others(p *proof) string {
	return "<system.webServer>" + g.beside + p.beside + "</system.webServer>"
}

// texts returns the two texts of a proof, and makes sure that what differs is what the proof is about.
func (g *proofs) texts(p *proof) (with, without string, err error) {
	path, name, attribute := strings.Cut(p.of, "@")
	if !attribute {
		path, _, _ = strings.Cut(p.of, "#")
	}
	full := strings.TrimSuffix(g.section+"/"+path, "/")
	in := p.in
	if in == "" {
		in = "<" + full[strings.LastIndex(full, "/")+1:] + " §/>"
		steps := strings.Split(strings.TrimPrefix(full, g.section[:strings.LastIndex(g.section, "/")+1]), "/")
		for _, step := range slices.Backward(steps[:len(steps)-1]) {
			in = "<" + step + ">" + in + "</" + step + ">"
		}
	}
	if strings.Count(in, "§") != 1 {
		return "", "", errors.New("the section needs one §")
	}
	fill := func(value string) string {
		switch {
		case value == unset:
			return strings.Replace(in, "§", "", 1)
		case attribute:
			var b strings.Builder
			_ = xml.EscapeText(&b, []byte(value))
			return strings.Replace(in, "§", name+`="`+b.String()+`"`, 1)
		}
		return strings.Replace(in, "§", value, 1)
	}
	marked := fill("proof-mark")
	if !attribute {
		marked = fill("<proof-mark/>")
	}
	if at := place(g.nest(marked), attribute); at != full {
		return "", "", fmt.Errorf("the § stands in %q, not in %q", at, full)
	}
	return fill(p.with), fill(p.without), nil
}

// place returns the element that holds the mark.
func place(text string, attribute bool) string {
	var path []string
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if err != nil {
			return err.Error()
		}
		switch e := token.(type) {
		case xml.StartElement:
			if !attribute && e.Name.Local == "proof-mark" {
				return strings.Join(path, "/")
			}
			path = append(path, e.Name.Local)
			if slices.ContainsFunc(e.Attr, func(a xml.Attr) bool { return attribute && a.Value == "proof-mark" }) {
				return strings.Join(path, "/")
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
}

// look asks the variant what its proof asks.
func (v *variant) look() {
	v.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		if v.p.do != nil {
			v.saw = v.p.do(v)
		} else {
			v.saw = v.see(v.request(v.p.ask))
		}
		if !v.p.wait || v.saw == v.want || time.Now().After(deadline) {
			return
		}
	}
}

// request sends a request as proofs write it.
func (v *variant) request(ask string) answer {
	v.t.Helper()
	if ask == "" {
		ask = "/a.txt"
	}
	if strings.HasPrefix(ask, "/") {
		path, fields, _ := strings.Cut(ask, "\n")
		ask = "GET " + path + " HTTP/1.1"
		if fields != "" {
			ask += "\n" + fields
		}
	}
	head, body, _ := strings.Cut(ask, "\n\n")
	if !strings.Contains(head, "\nHost:") {
		head += "\nHost: " + v.name
	}
	return v.ask(head, body)
}

// see writes down what is to be seen of an answer.
func (v *variant) see(a answer) string {
	text := a.named()
	switch part, rest, _ := strings.Cut(v.p.see, " "); {
	case v.p.see == "" || part == "log" || part == "logs" || part == "lines":
		return text
	case part == "body":
		if strings.Contains(text, ".") { // a page with details
			return text
		}
		return text + " " + a.body
	case part == "has":
		return fmt.Sprintf("%s %v", text, strings.Contains(a.body, rest))
	case part == "field":
		return fmt.Sprintf("%s %v", text, a.header.Get(rest) != "")
	}
	for field := range strings.SplitSeq(v.p.see, " ") {
		text += " " + strings.Join(a.header.Values(field), "|")
	}
	return text
}

// judge compares what was seen, with what was logged where the proof is about that.
func (v *variant) judge(t *testing.T) {
	t.Helper()
	switch v.p.see {
	case "log":
		v.saw += " " + v.logged()
	case "lines":
		v.saw += " " + strconv.Itoa(strings.Count(v.logged(), ";"))
	case "logs":
		v.saw += " " + v.logFiles()
	}
	if v.saw != v.want {
		t.Errorf("%s/%s with\n\t%s\nis answered\n\t%q, want\n\t%q", v.g.section, v.p.of, v.text, v.saw, v.want)
	}
}

// logged is the log of the site: its fields and lines, with digits for the times.
func (v *variant) logged() string {
	var lines []string
	files, _ := filepath.Glob(filepath.Join(v.home, "logs/W3SVC"+strconv.Itoa(v.id), "*.log"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			v.t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if strings.HasPrefix(line, "#Fields: ") || !strings.HasPrefix(line, "#") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return digits(strings.Join(lines, "; "))
}

// digits makes all digits the same: what a clock says is not to be seen.
func digits(s string) string { return regexp.MustCompile(`\d`).ReplaceAllString(s, "0") }

// logFiles are the log files of the home, with digits for the date.
func (v *variant) logFiles() string {
	var found []string
	_ = filepath.WalkDir(v.home, func(p string, d os.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), "u_ex") {
			p, _ = filepath.Rel(v.home, p)
			dir, name := filepath.Split(filepath.ToSlash(p))
			found = append(found, dir+digits(name))
		}
		return err
	})
	return strings.Join(found, " ")
}
