package urlrewrite_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// BenchmarkRules is what a request costs the module and the walk to the configuration: without a rule, and past ten rules
// that do not match to one that leads into another folder.
func BenchmarkRules(b *testing.B) {
	past := []string{
		`^blog/([0-9]{4})/([0-9]{2})/(.*)$`, `^products/([^/]+)/([0-9]+)$`, `^users/([a-z0-9_-]+)/profile$`, `^(.*)\.php$`,
		`^category/([^/]+)/page/([0-9]+)/?$`, `^api/v1/(.*)$`, `^([a-z]{2})/news/(.*)$`, `^download/([0-9]+)/([^/]+)\.zip$`,
		`^(.+)/amp/?$`, `^search/(.+)$`,
	}
	var rules strings.Builder
	for i, p := range past {
		fmt.Fprintf(&rules, `<rule name="%d"><match url="%s" /><action type="Rewrite" url="gone.html" /></rule>`, i, p)
	}
	rules.WriteString(`<rule name="files"><match url="^files/(.+)$" /><action type="Rewrite" url="/{R:1}" /></rule>`)
	for name, rules := range map[string]string{"none": "", "ten": rules.String()} {
		b.Run(name, func(b *testing.B) {
			files := map[string]string{"a.bin": "x"}
			if rules != "" {
				files["web.config"] = "<rules>" + rules + "</rules>"
			}
			s := newSite(b, "", files)
			s.next = func(http.ResponseWriter, *http.Request) {}
			r, err := s.request("/files/a.bin\nUser-Agent: bench\nAccept: */*")
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if refusal := s.q.Reconfigure(r.URL.Path); refusal != nil {
					b.Fatal(refusal)
				}
				s.handler.ServeHTTP(nil, r) // neither the rules nor next touch the answer
			}
		})
	}
}
