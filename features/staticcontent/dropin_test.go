package staticcontent

import (
	"bytes"
	"encoding/xml"
	"flag"
	"io/fs"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the drop-in anew from mimetypes.tsv")

const dropInPath = "config/features.d/static-content.config"

const dropInHead = `<?xml version="1.0" encoding="UTF-8"?>
<!--
  Static Content. This file belongs to rolemgr and goes when the feature is removed. To change a setting, write the
  section in config/applicationHost.config or in the web.config of a site; what is written there wins.
-->
<configuration>
  <system.webServer>
    <globalModules>
      <add name="StaticFileModule" image="builtin" />
    </globalModules>
    <modules>
      <add name="StaticFileModule" lockItem="true" />
    </modules>
    <staticContent>
`

const dropInTail = `    </staticContent>
  </system.webServer>
</configuration>
`

// mimeRows reads mimetypes.tsv.
func mimeRows(t *testing.T) [][2]string {
	t.Helper()
	b, err := os.ReadFile("mimetypes.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][2]string
	for line := range strings.Lines(string(b)) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		ext, typ, ok := strings.Cut(line, "\t")
		if !ok {
			t.Fatalf("mimetypes.tsv: no tab in %q", line)
		}
		rows = append(rows, [2]string{ext, typ})
	}
	return rows
}

// TestDropIn holds the drop-in to the table it is generated from.
func TestDropIn(t *testing.T) {
	rows := mimeRows(t)
	if len(rows) != 375 {
		t.Errorf("mimetypes.tsv has %d rows, the map of IIS has 375", len(rows))
	}
	var want bytes.Buffer
	want.WriteString(dropInHead)
	for _, row := range rows {
		want.WriteString(`      <mimeMap fileExtension="`)
		_ = xml.EscapeText(&want, []byte(row[0]))
		want.WriteString(`" mimeType="`)
		_ = xml.EscapeText(&want, []byte(row[1]))
		want.WriteString("\" />\n")
	}
	want.WriteString(dropInTail)
	if *update {
		if err := os.WriteFile("assets/"+dropInPath, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := fs.ReadFile(Unit().Assets, dropInPath)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("the drop-in differs from mimetypes.tsv: run go test ./features/staticcontent -run TestDropIn -update")
	}
}
