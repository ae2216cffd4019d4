package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFilesAsTheyAre reads the forms in which files that people bring are written.
func TestFilesAsTheyAre(t *testing.T) {
	const site = "<system.webServer>\n  <defaultDocument enabled=\"True\">\n    <files>\n      <add value=\"x\" />\n    </files>\n  </defaultDocument>\n</system.webServer>\n"
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	for name, src := range map[string]string{
		"plain":                  "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<configuration>\n" + site + "</configuration>\n",
		"mark, CRLF":             "\xef\xbb\xbf" + crlf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<configuration>\n"+site+"</configuration>\n"),
		"mark, no declaration":   "\xef\xbb\xbf<configuration>" + site + "</configuration>",
		"standalone":             "<?xml version='1.0' standalone='yes'?><configuration>" + site + "</configuration>",
		"comments everywhere":    "<!-- a --><configuration><!-- b --><system.webServer><!-- <x/> --><defaultDocument><!-- c --><files><add value=\"x\"><!-- d --></add><!-- e --></files></defaultDocument></system.webServer></configuration><!-- f -->",
		"instructions":           "<?a b?><configuration><?c d?>" + site + "</configuration>",
		"other quotation marks":  strings.ReplaceAll("<configuration>"+site+"</configuration>", `"`, "'"),
		"references":             "<configuration>" + strings.Replace(site, `"x"`, `"&#120;"`, 1) + "</configuration>",
		"a group twice":          "<configuration><system.webServer><httpErrors /></system.webServer>" + site + "</configuration>",
		"an empty group":         "<configuration><system.webServer />" + site + "<system.web />\n</configuration>",
		"a location of its own":  "<configuration><location path=\".\" inheritInChildApplications=\"False\">" + site + "</location></configuration>",
		"a location without one": "<configuration><location>" + site + "</location></configuration>",
		"a namespace":            "<configuration xmlns:xdt=\"http://schemas.microsoft.com/XML-Document-Transform\">" + site + "</configuration>",
		".NET around it": "<configuration><configSections><section name=\"log4net\" type=\"L\" requirePermission=\"False\" /><sectionGroup name=\"g\" type=\"T\"><section name=\"s\" /></sectionGroup></configSections>" +
			"<log4net debug=\"true\"><root>text</root></log4net><g><s>text</s></g><appSettings file=\"x.config\"><add key=\"a\" value=\"b\" /></appSettings>" + site +
			"<system.web><compilation debug=\"true\" /><![CDATA[x]]></system.web><location path=\"admin\"><system.web><authorization><deny users=\"?\" /></authorization></system.web></location></configuration>",
	} {
		w := newWorld(t, nil)
		if err := os.WriteFile(filepath.Join(w.home, "root/web.config"), []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
		e, err := w.open().Effective("Site", "/page")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := docs(t, e); got != "x" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
