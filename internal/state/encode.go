package state

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// header is the comment at the top of every state file.
const header = `# What is installed on this server. rolemgr reads and replaces this file;
# change it with "rolemgr install" and "rolemgr remove".
`

// Encode returns the content of a state file. Equal states give equal bytes, whatever the order of their features.
// It fails for a state that Decode would refuse.
func Encode(s State) ([]byte, error) {
	if f := s.check(); f != nil {
		return nil, errors.New("encode the state: " + f.message)
	}
	s = s.sorted()
	var b strings.Builder
	b.WriteString(header)
	fmt.Fprintf(&b, "schema = %d\n", schema)
	fmt.Fprintf(&b, "serial = %d\n", s.Serial)
	fmt.Fprintf(&b, "level = %s\n", quote(s.Level))
	fmt.Fprintf(&b, "last_transaction = %s\n", quote(s.LastTransaction))
	writeTime(&b, "written", s.Written)
	fmt.Fprintf(&b, "written_by = %s\n", quote(s.WrittenBy))
	for _, f := range s.Features {
		encodeFeature(&b, f)
	}
	return []byte(b.String()), nil
}

func encodeFeature(b *strings.Builder, f Feature) {
	b.WriteString("\n[[feature]]\n")
	fmt.Fprintf(b, "id = %s\n", quote(f.ID))
	fmt.Fprintf(b, "reason = %s\n", quote(f.Reason))
	by := make([]string, len(f.RequiredBy))
	for i, id := range f.RequiredBy {
		by[i] = quote(id)
	}
	fmt.Fprintf(b, "required_by = [%s]\n", strings.Join(by, ", "))
	fmt.Fprintf(b, "version = %s\n", quote(f.Version))
	writeTime(b, "installed", f.Installed)
	for _, file := range f.Files {
		b.WriteString("[[feature.file]]\n")
		fmt.Fprintf(b, "path = %s\n", quote(file.Path))
		fmt.Fprintf(b, "sha256 = %s\n", quote(file.SHA256))
	}
}

// writeTime writes nothing for a time that is not known: a TOML file has no null.
func writeTime(b *strings.Builder, key string, t time.Time) {
	if !t.IsZero() {
		fmt.Fprintf(b, "%s = %s\n", key, t.UTC().Format(time.RFC3339Nano))
	}
}

// quote writes a basic string of TOML. Control characters cannot occur: check refuses them.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
