package all_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// The parts that sites are made of.
const (
	proofRoot    = `<virtualDirectory path="/" physicalPath="one" />`
	proofApps    = `<application path="/">` + proofRoot + `</application>`
	proofBinding = `<binding protocol="http" bindingInformation="127.0.0.1:0:" />`
	proofBound   = `<bindings>` + proofBinding + `</bindings>`
)

// proofSite is a site of a host of its own.
func proofSite(attributes, content string) string {
	return `<site name="one" id="1" ` + attributes + `>` + content + `</site>`
}

// proofSites is the section with a site, and another one that is always there.
func proofSites(before, site string) string {
	return `<sites>` + before + site + `<site name="two" id="2" serverAutoStart="true"><application path="/"><virtualDirectory path="/" physicalPath="two" /></application>` +
		proofBound + `</site></sites>`
}

func siteProofs() []proofs {
	cases := []proof{
		{of: "site@name", in: proofSites("", `<site § id="1">`+proofApps+proofBound+`</site>`), with: "one", without: "uno", do: siteNames, want: "one two", otherwise: "two uno"},
		{of: "site@id", in: proofSites("", `<site name="one" §>`+proofApps+proofBound+`</site>`), with: "7", without: "77", see: "logs", want: "200 logs/W3SVC7/u_ex000000.log", otherwise: "200 logs/W3SVC77/u_ex000000.log"},
		{of: "site/application@path", in: proofSites("", proofSite("", proofApps+`<application §><virtualDirectory path="/" physicalPath="two"/></application>`+proofBound)), with: "/app2", without: "/app3", ask: "/app2/where.txt", see: "body", want: "200 two", otherwise: "404.0"},
	}
	virtual := func(entry string) string {
		return proofSites("", proofSite("", `<application path="/">`+proofRoot+entry+`</application>`+proofBound))
	}
	cases = append(cases,
		proof{of: "site/application/virtualDirectory@path", in: virtual(`<virtualDirectory § physicalPath="two"/>`), with: "/v", without: "/w", ask: "/v/where.txt", see: "body", want: "200 two", otherwise: "404.0"},
		proof{of: "site/application/virtualDirectory@physicalPath", in: virtual(`<virtualDirectory path="/v" §/>`), with: "two", without: "one", ask: "/v/where.txt", see: "body", want: "200 two", otherwise: "200 one"},
		proof{of: "site/application/virtualDirectory@allowSubDirConfig", in: virtual(`<virtualDirectory path="/v" physicalPath="one" §/>`), with: "false", without: unset, ask: "/v/conf/a.txt", want: "200", otherwise: "302"},
	)
	// What a site says goes before what is said of all, also where it says what is so by itself.
	over := func(site, all string) string {
		return proofSites(`<siteDefaults><logFile `+all+`/></siteDefaults>`, proofSite("", `<logFile `+site+`/>`+proofApps+proofBound))
	}
	const daily = "200 logs/W3SVC1/u_ex000000.log"
	cases = append(cases,
		proof{of: "site/logFile@enabled", in: over("§", `enabled="false"`), with: "true", without: unset, see: "logs", want: daily, otherwise: "200 "},
		proof{of: "site/logFile@period", in: over("§", `period="MaxSize"`), with: "Daily", without: unset, see: "logs", want: daily, otherwise: "200 logs/W3SVC1/u_extend.log"},
	)
	for _, at := range []string{"", "site/", "site/application/"} {
		cases = append(cases, folderDefaults(at)...)
	}
	for _, at := range []string{"siteDefaults", "site"} {
		cases = append(cases, siteSettings(at)...)
	}
	return []proofs{{section: "system.applicationHost/sites", own: true, cases: cases}}
}

// folderDefaults are proofs of virtualDirectoryDefaults at one of its three places.
func folderDefaults(at string) []proof {
	in := func(defaults, entry string) string {
		place := func(here string) string {
			if at == here {
				return `<virtualDirectoryDefaults ` + defaults + `/>`
			}
			return ""
		}
		return proofSites(place(""), proofSite("", place("site/")+`<application path="/">`+place("site/application/")+entry+`</application>`+proofBound))
	}
	const name = "virtualDirectoryDefaults"
	return []proof{
		{of: at + name + "@path", in: in("§", proofRoot+`<virtualDirectory physicalPath="two"/>`), with: "/v", without: "/w", ask: "/v/where.txt", see: "body", want: "200 two", otherwise: "404.0"},
		{of: at + name + "@physicalPath", in: in("§", proofRoot+`<virtualDirectory path="/v"/>`), with: "two", without: "one", ask: "/v/where.txt", see: "body", want: "200 two", otherwise: "200 one"},
		{of: at + name + "@allowSubDirConfig", in: in("§", proofRoot), with: "false", without: unset, ask: "/conf/a.txt", want: "200", otherwise: "302"},
	}
}

// siteSettings are proofs of what may stand in a site and in siteDefaults.
func siteSettings(at string) []proof {
	in := func(attributes, content, bound string) string {
		if at == "site" {
			return proofSites("", proofSite(attributes, content+proofApps+bound))
		}
		return proofSites(`<siteDefaults `+attributes+`>`+content+`</siteDefaults>`, proofSite("", proofApps+bound))
	}
	limits := func(s string) string { return in("", `<limits `+s+`/>`, proofBound) }
	log := func(s string) string { return in("", `<logFile `+s+`/>`, proofBound) }
	const logs, columns = "200 logs/W3SVC1/u_ex000000.log", "Method, UriStem"
	return []proof{
		{of: at + "@serverAutoStart", in: in("§", "", proofBound), with: "false", without: unset, do: siteState, want: "Stopped 0", otherwise: "Started 1"},
		{of: at + "/bindings/binding@protocol", in: in("", `<bindings><binding § bindingInformation="127.0.0.1:0:"/></bindings>`, ""), with: "http", without: "net.tcp", do: siteState, want: "Started 1", otherwise: "Started 0"},
		{of: at + "/bindings/binding@bindingInformation", in: in("", `<bindings><binding protocol="http" §/></bindings>`, ""), with: "127.0.0.1:0:", without: "127.0.0.1:0:other", want: "200", otherwise: "404.1"},
		{of: at + "/bindings#clear", in: in("", `<bindings>`+proofBinding+`§</bindings>`, ""), with: `<clear/>`, without: unset, do: siteState, want: "Started 0", otherwise: "Started 1"},
		{of: at + "/limits@maxConnections", in: limits("§"), with: "1", without: "2", do: secondConnection, want: "503", otherwise: "200"},
		{of: at + "/limits@connectionTimeout", in: limits("§"), with: "00:00:01", without: unset, do: idle("GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n"), want: "cut", otherwise: "open"},
		{of: at + "/limits@maxUrlSegments", in: limits("§"), with: "1", without: "2", ask: "/sub/x.txt", want: "404.20", otherwise: "200"},
		{of: at + "/logFile@logExtFileFlags", in: log("§"), with: columns, without: "Method", see: "log", want: "200 #Fields: cs-method cs-uri-stem; GET /a.txt", otherwise: "200 #Fields: cs-method; GET"},
		{of: at + "/logFile@directory", in: log("§"), with: "elsewhere", without: unset, see: "logs", want: "200 elsewhere/W3SVC1/u_ex000000.log", otherwise: logs},
		{of: at + "/logFile@period", in: log("§"), with: "MaxSize", without: unset, see: "logs", want: "200 logs/W3SVC1/u_extend.log", otherwise: logs},
		{of: at + "/logFile@localTimeRollover", by: "features/all TestLocalTimeRollover"},
		{of: at + "/logFile@enabled", in: log("§"), with: "false", without: unset, see: "logs", want: "200 ", otherwise: logs},
	}
}

func siteNames(v *variant) string {
	var names []string
	for _, s := range v.server.Status().Sites {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// siteState tells the state of the site and how many bindings are open.
func siteState(v *variant) string {
	for _, s := range v.server.Status().Sites {
		if s.Name == "one" {
			return fmt.Sprintf("%s %d", s.State, len(s.Bindings))
		}
	}
	return "none"
}

// secondConnection tells how a second connection is answered while the first is open.
func secondConnection(v *variant) string {
	status := ""
	for range 2 {
		c, err := net.Dial("tcp", v.addr)
		if err != nil {
			v.t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return err.Error()
		}
		status = fmt.Sprint(resp.StatusCode)
	}
	return status
}

// idle sends a request, or a part of one, and tells whether the host cuts the line after the second that was configured.
// A host that does not is asked for little more than that: it is to keep the line for half a minute and more.
func idle(first string) func(*variant) string {
	return func(v *variant) string {
		c, err := net.Dial("tcp", v.addr)
		if err != nil {
			v.t.Fatal(err)
		}
		defer c.Close()
		patience := 10 * time.Second
		if v.want == "open" {
			patience = 1500 * time.Millisecond
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		_, _ = io.WriteString(c, first)
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			return "open"
		}
		return "cut"
	}
}
