package main

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/txtar"
)

// A siteFile is one of testdata/sites: the files of a site, and what is expected of it.
//
// The comment of the archive says what kind of site it is, then come directives, one in a line:
//
//	!encode web.config utf-8-bom crlf    how a file below site/ is written: utf-8-bom, utf-16le, utf-16be, windows-1252; crlf
//	!app /api other                      an application of the site, and its folder, which stands beside site/ in the archive
//	!vdir /images pictures               a virtual directory of the root application
//	!bare                                the report is that of a server on which nothing is installed
//
// The file applicationHost.config is put into <configuration> of the server's, behind its sites. SITEDIR stands for the
// folder of the site in every file. The requests are expected of IIS, never written from what the server answered.
type siteFile struct {
	name    string // on disk
	archive *txtar.Archive
	bare    bool
	encode  map[string][]string
	apps    []sitePlace
	behind  string // the port that behindPort stands for
	asks    []siteAsk
}

// A sitePlace is an application or a virtual directory.
type sitePlace struct {
	kind, path, folder string
}

// A siteAsk is a request and what is to be answered.
type siteAsk struct {
	line         string
	method, path string
	fields       [][2]string
	status, sub  int
	want         [][2]string
	contains     []string
}

// readSite reads the file of a site.
func readSite(name string) (*siteFile, error) {
	a, err := txtar.ParseFile(name)
	if err != nil {
		return nil, err
	}
	s := &siteFile{name: name, archive: a, encode: map[string][]string{}}
	for line := range strings.Lines(string(a.Comment)) {
		f := strings.Fields(line)
		switch {
		case !strings.HasPrefix(line, "!"):
		case f[0] == "!bare" && len(f) == 1:
			s.bare = true
		case f[0] == "!encode" && len(f) > 2:
			hows := f[2:]
			if i := slices.Index(hows, "crlf"); i > 0 { // ends of lines before what is about bytes
				hows[0], hows[i] = hows[i], hows[0]
			}
			s.encode["site/"+f[1]] = hows
		case (f[0] == "!app" || f[0] == "!vdir") && len(f) == 3:
			s.apps = append(s.apps, sitePlace{f[0], f[1], f[2]})
		default:
			return nil, fmt.Errorf("%s: directive %q", name, strings.TrimSpace(line))
		}
	}
	for line := range strings.Lines(string(s.section("requests"))) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		ask, err := parseAsk(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %q: %w", name, line, err)
		}
		s.asks = append(s.asks, ask)
	}
	return s, nil
}

// section returns what stands below a heading of the archive, nil when it is not there.
func (s *siteFile) section(name string) []byte {
	for _, f := range s.archive.Files {
		if f.Name == name {
			return f.Data
		}
	}
	return nil
}

// parseAsk reads `GET /path [| Field: value]* => STATUS[.SUB] [| Field: value]* [| body contains "text"]`.
func parseAsk(line string) (siteAsk, error) {
	a := siteAsk{line: line}
	left, right, ok := strings.Cut(line, " => ")
	if !ok {
		return a, fmt.Errorf("no =>")
	}
	parts := strings.Split(left, " | ")
	if a.method, a.path, ok = strings.Cut(strings.TrimSpace(parts[0]), " "); !ok {
		return a, fmt.Errorf("no path")
	}
	for _, p := range parts[1:] {
		name, value, ok := strings.Cut(p, ":")
		if !ok {
			return a, fmt.Errorf("%q is no field", p)
		}
		a.fields = append(a.fields, [2]string{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	parts = strings.Split(right, " | ")
	status, sub, dotted := strings.Cut(strings.TrimSpace(parts[0]), ".")
	var err error
	if a.status, err = strconv.Atoi(status); err != nil {
		return a, err
	}
	if a.sub, err = strconv.Atoi(sub); dotted && err != nil {
		return a, err
	}
	for _, p := range parts[1:] {
		if text, ok := strings.CutPrefix(p, "body contains "); ok {
			if text, err = strconv.Unquote(strings.TrimSpace(text)); err != nil {
				return a, err
			}
			a.contains = append(a.contains, text)
			continue
		}
		name, value, ok := strings.Cut(p, ":")
		if !ok {
			return a, fmt.Errorf("%q is no field", p)
		}
		a.want = append(a.want, [2]string{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return a, nil
}

// isFile tells the files of a site from what is said about it.
func (s *siteFile) isFile(name string) bool {
	top, _, below := strings.Cut(name, "/")
	return below && (top == "site" || slices.ContainsFunc(s.apps, func(p sitePlace) bool { return p.folder == top }))
}

// unpack writes the files of the site below dir.
func (s *siteFile) unpack(dir string) error {
	left := maps.Clone(s.encode)
	for _, f := range s.archive.Files {
		if !s.isFile(f.Name) {
			switch name, _, _ := strings.Cut(f.Name, " "); name {
			case "applicationHost.config", "requests", "effective", "report":
				continue
			}
			return fmt.Errorf("%s: %q is neither a file of the site nor said about it", s.name, f.Name)
		}
		data := bytes.ReplaceAll(f.Data, []byte("SITEDIR"), []byte(filepath.Join(dir, "site")))
		if s.behind != "" {
			data = bytes.ReplaceAll(data, []byte(behindPort), []byte(s.behind))
		}
		for _, how := range s.encode[f.Name] {
			var err error
			if data, err = encode(data, how); err != nil {
				return fmt.Errorf("%s: %s: %w", s.name, f.Name, err)
			}
		}
		delete(left, f.Name)
		name := filepath.Join(dir, filepath.FromSlash(path.Clean(f.Name)))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
	}
	for name := range left {
		return fmt.Errorf("%s: !encode names %q, which is not there", s.name, name)
	}
	return nil
}

// encode writes a text as the editors of Windows do.
func encode(text []byte, how string) ([]byte, error) {
	switch how {
	case "crlf":
		return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")), nil
	case "utf-8-bom":
		return append([]byte("\ufeff"), text...), nil
	case "utf-16le", "utf-16be":
		var out []byte
		for _, u := range utf16.Encode([]rune("\ufeff" + string(text))) {
			if how == "utf-16le" {
				out = append(out, byte(u), byte(u>>8))
			} else {
				out = append(out, byte(u>>8), byte(u))
			}
		}
		return out, nil
	case "windows-1252":
		var out []byte
		for _, r := range string(text) {
			if r > 0xff || 0x80 <= r && r < 0xa0 {
				return nil, fmt.Errorf("%q is not written by this test in windows-1252", r)
			}
			out = append(out, byte(r))
		}
		return out, nil
	}
	return nil, fmt.Errorf("encoding %q", how)
}

// hostConfig is the applicationHost.config of the server.
func (s *siteFile) hostConfig(dir string) []byte {
	var apps, vdirs strings.Builder
	for _, p := range s.apps {
		at := filepath.Join(dir, p.folder)
		if p.kind == "!app" {
			fmt.Fprintf(&apps, `<application path="%s"><virtualDirectory path="/" physicalPath="%s" /></application>`, p.path, at)
		} else {
			fmt.Fprintf(&vdirs, `<virtualDirectory path="%s" physicalPath="%s" />`, p.path, at)
		}
	}
	return []byte(`<configuration>
<configSections><sectionGroup name="system.webServer">
<section name="modules" overrideModeDefault="Allow" allowDefinition="MachineToApplication" />
</sectionGroup></configSections>
<system.applicationHost><sites><site name="Site" id="1">
<application path="/"><virtualDirectory path="/" physicalPath="` + filepath.Join(dir, "site") + `" />` + vdirs.String() + `</application>` + apps.String() + `
<bindings><binding protocol="http" bindingInformation="127.0.0.1:0:" /></bindings>
</site></sites></system.applicationHost>
` + strings.ReplaceAll(string(s.section("applicationHost.config")), "SITEDIR", filepath.Join(dir, "site")) + `
</configuration>
`)
}

// rewrite writes the golden parts of the file anew.
func (s *siteFile) rewrite(golden map[string]string) error {
	for i, f := range s.archive.Files {
		if text, ok := golden[f.Name]; ok {
			s.archive.Files[i].Data = []byte(text)
			delete(golden, f.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(golden)) {
		s.archive.Files = append(s.archive.Files, txtar.File{Name: name, Data: []byte(golden[name])})
	}
	return os.WriteFile(s.name, txtar.Format(s.archive), 0o644)
}
