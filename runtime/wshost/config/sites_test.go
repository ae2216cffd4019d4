package config

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const onlyRoot = `<application path="/"><virtualDirectory path="/" physicalPath="r"/></application>`

func apphost(inner string) map[string]string {
	return map[string]string{"apphost": `<system.applicationHost><sites>` + inner + `</sites></system.applicationHost>`}
}

func TestSites(t *testing.T) {
	w := newWorld(t, apphost(`
<siteDefaults serverAutoStart="false"><limits maxConnections="7"/><logFile directory="%LOGS%\x" logExtFileFlags="Time, Date"/><bindings><binding protocol="http" bindingInformation="*:81:"/></bindings></siteDefaults>
<applicationDefaults enabledProtocols="http"/><virtualDirectoryDefaults allowSubDirConfig="false" physicalPath="fallback"/>
<site name="B" id="2"><application path="/"><virtualDirectory path="/"/><virtualDirectory path="/longer" physicalPath="/abs/../p"/></application>
 <application path="/app"><virtualDirectoryDefaults allowSubDirConfig="true"/><virtualDirectory path="/" physicalPath="sites\app"/></application>
 <limits connectionTimeout="00:00:10"/></site>
<site name="A" id="1" serverAutoStart="TRUE">`+onlyRoot+`<bindings>
 <binding protocol="http" bindingInformation="127.0.0.1:8080:"/><binding protocol="http" bindingInformation="127.0.0.1:8080:www.example.com"/>
 <binding protocol="HTTPS" bindingInformation="[::1]:443:" sslFlags="1"/><binding protocol="net.tcp" bindingInformation="808:*"/>
 <binding protocol="http" bindingInformation="127.0.0.1:0:"/><binding protocol="http" bindingInformation="127.0.0.1:0:x"/></bindings>
 <logFile enabled="false" period="Hourly"/></site>`))
	w.env["LOGS"] = "/logs"
	sites := w.open().Sites()
	if len(sites) != 2 || sites[0].Name != "A" || sites[1].Name != "B" {
		t.Fatalf("%+v", sites)
	}
	a, b := sites[0], sites[1]
	type bound struct {
		protocol, address string
		port              int
		host              string
		flags             uint32
	}
	var got []bound
	for _, x := range a.Bindings {
		got = append(got, bound{x.Protocol, x.Address, x.Port, x.Host, x.SSLFlags})
	}
	want := []bound{{"http", "127.0.0.1", 8080, "", 0}, {"http", "127.0.0.1", 8080, "www.example.com", 0}, {"https", "::1", 443, "", 1},
		{"net.tcp", "", 0, "", 0}, {"http", "127.0.0.1", 0, "", 0}, {"http", "127.0.0.1", 0, "x", 0}}
	if !reflect.DeepEqual(got, want) || a.Bindings[3].Info != "808:*" || a.Bindings[0].Pos.Line != 8 {
		t.Errorf("bindings %+v", a.Bindings)
	}
	if !a.AutoStart || b.AutoStart || a.Pos.Line != 7 || len(b.Bindings) != 1 || b.Bindings[0].Address != "*" || b.Bindings[0].Port != 81 {
		t.Errorf("%+v\n%+v", a, b)
	}
	if b.Limits != (Limits{7, 10 * time.Second, 32}) {
		t.Errorf("limits %+v", b.Limits)
	}
	if a.LogFile.Enabled || a.LogFile.Period != "Hourly" || a.LogFile.Directory != "/logs/x" || strings.Join(a.LogFile.Fields, " ") != "Date Time" || !b.LogFile.Enabled || !b.LogFile.LogSiteID {
		t.Errorf("log %+v %+v", a.LogFile, b.LogFile)
	}
	apps := []Application{
		{"/app", []VirtualDir{{"/", filepath.Join(w.home, "sites/app"), false}}},
		{"/", []VirtualDir{{"/longer", "/p", true}, {"/", filepath.Join(w.home, "fallback"), true}}},
	}
	if !reflect.DeepEqual(b.Applications, apps) {
		t.Errorf("%+v", b.Applications)
	}
}

func TestSiteFaults(t *testing.T) {
	site := func(attrs, inner string) string { return "<site " + attrs + ">" + inner + "</site>" }
	bind := func(info string) string {
		return `<bindings><binding protocol="http" bindingInformation="` + info + `"/></bindings>`
	}
	for name, c := range map[string]struct {
		inner, message string
		hr             uint32
	}{
		"same name":          {site(`name="x" id="1"`, onlyRoot) + site(`name="X" id="2"`, onlyRoot), "already in the collection", HResultDuplicate},
		"same id":            {site(`name="x" id="1"`, onlyRoot) + site(`name="y" id="01"`, onlyRoot), `site "y" has the id 1`, HResultDuplicate},
		"id 0":               {site(`name="x" id="0"`, onlyRoot), "from 1 to", HResultMalformed},
		"no id":              {site(`name="x"`, onlyRoot), `needs the attribute "id"`, HResultMalformed},
		"bad name":           {site(`name="a/b" id="1"`, onlyRoot), "must be a name", HResultMalformed},
		"no application":     {site(`name="x" id="1"`, ""), `no application with the path "/"`, HResultMalformed},
		"no root directory":  {site(`name="x" id="1"`, `<application path="/"/>`), `no virtual directory with the path "/"`, HResultMalformed},
		"no physical path":   {site(`name="x" id="1"`, `<application path="/"><virtualDirectory path="/"/></application>`), "no physical path", HResultMalformed},
		"drive letter":       {site(`name="x" id="1"`, `<application path="/"><virtualDirectory path="/" physicalPath="C:\inetpub"/></application>`), "path of Windows", HResultMalformed},
		"unset variable":     {site(`name="x" id="1"`, `<application path="/"><virtualDirectory path="/" physicalPath="%SystemDrive%\inetpub"/></application>`), "path of Windows", HResultMalformed},
		"log of Windows":     {site(`name="x" id="1"`, onlyRoot+`<logFile directory="d:\logs"/>`), "path of Windows", HResultMalformed},
		"application path":   {site(`name="x" id="1"`, `<application path="/a/"/>`), "must not end with it", HResultMalformed},
		"same binding":       {site(`name="x" id="1"`, onlyRoot+bind("*:80:A")) + site(`name="y" id="2"`, onlyRoot+bind(":80:a")), `binding ":80:a" of site "y" is also in`, HResultDuplicate},
		"same address":       {site(`name="x" id="1"`, onlyRoot+bind("[::1]:80:")) + site(`name="y" id="2"`, onlyRoot+bind("[0:0::1]:80:")), "is also in", HResultDuplicate},
		"no port":            {site(`name="x" id="1"`, onlyRoot+bind("localhost")), "port is missing", HResultMalformed},
		"no host":            {site(`name="x" id="1"`, onlyRoot+bind("*:80")), "colon before the host name", HResultMalformed},
		"name as address":    {site(`name="x" id="1"`, onlyRoot+bind("localhost:80:")), `"localhost" is no IP address`, HResultMalformed},
		"large port":         {site(`name="x" id="1"`, onlyRoot+bind("*:65536:")), "no port", HResultMalformed},
		"open bracket":       {site(`name="x" id="1"`, onlyRoot+bind("[::1:80:")), "bracket", HResultMalformed},
		"bare IPv6":          {site(`name="x" id="1"`, onlyRoot+bind("::1:80:")), "", HResultMalformed},
		"IPv4 in brackets":   {site(`name="x" id="1"`, onlyRoot+bind("[127.0.0.1]:80:")), "no IPv6", HResultMalformed},
		"host with path":     {site(`name="x" id="1"`, onlyRoot+bind("*:80:a/b")), "no host name", HResultMalformed},
		"host with wildcard": {site(`name="x" id="1"`, onlyRoot+bind("*:80:*.example.com")), "has a wildcard", HResultMalformed},
	} {
		_, err := newWorld(t, apphost(c.inner)).tryOpen()
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		e := asError(t, err)
		if e.HResult != c.hr || !strings.Contains(e.Message, c.message) || e.Pos.Line != 1 || e.Section != sitesPath {
			t.Errorf("%s: 0x%x %v in %s", name, e.HResult, e, e.Section)
		}
	}
	if _, err := newWorld(t, apphost(site(`name="x" id="4294967295"`, onlyRoot+bind("*:65535:")))).tryOpen(); err != nil {
		t.Errorf("largest id and port: %v", err)
	}
}

func TestOpenFaults(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  uint32
	}{
		"broken apphost":  {map[string]string{"apphost": "raw:<configuration>"}, HResultMalformed},
		"broken drop-in":  {map[string]string{"features/a.config": "raw:x"}, HResultMalformed},
		"broken location": {map[string]string{"apphost": at("/x", "", "")}, HResultMalformed},
		"missing apphost": {nil, HResultNotFound},
		"declared twice": {map[string]string{"apphost": `<configSections><sectionGroup name="system.webServer">` +
			`<section name="webSocket" overrideModeDefault="Deny"/><section name="webSocket" overrideModeDefault="Allow"/></sectionGroup></configSections>`}, HResultDuplicate},
		"declared in two files": {map[string]string{
			"features/a.config": `<configSections><sectionGroup name="system.webServer"><section name="webSocket"/></sectionGroup></configSections>`,
			"apphost":           `<configSections><sectionGroup name="system.webServer"><section name="webSocket"/></sectionGroup></configSections>`}, 0},
		"ignored drop-ins": {map[string]string{"features/.a.config": "raw:x", "features/a.config~": "raw:x"}, 0},
	} {
		w := newWorld(t, c.files)
		o := Options{AppHost: filepath.Join(w.home, "apphost"), DropInDir: filepath.Join(w.home, "features"), BaseDir: w.home, Schema: testSchema(t)}
		if c.files == nil {
			o.AppHost += "x"
		}
		_, err := Open(o)
		if c.want == 0 && err != nil || c.want != 0 && (err == nil || asError(t, err).HResult != c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(Options{}); err == nil {
		t.Error("no schema: accepted")
	}
	w := newWorld(t, map[string]string{"apphost": ws("<nope/>")})
	tree := w.open()
	if _, err := tree.Server(); err == nil {
		t.Error("a bare fault does not concern the server")
	}
	if _, err := tree.Effective("Site", "/x"); err == nil {
		t.Error("a bare fault does not concern a site")
	}
	if _, err := newWorld(t, map[string]string{"apphost": at("Other", "", "<nope/>")}).open().Effective("Site", "/"); err != nil {
		t.Errorf("a fault of another site: %v", err)
	}
}

func TestMap(t *testing.T) {
	w := newWorld(t, nil)
	tree := w.open()
	for url, want := range map[string][3]string{
		"/":                 {"root", "/", "root"},
		"/a/b.htm":          {"root/a/b.htm", "/", "root"},
		"/a/../../../x":     {"root/x", "/", "root"},
		`/a\..\..\b`:        {"root/b", "/", "root"},
		"/virt":             {"virt", "/virt", "virt"},
		"/VIRT/X/":          {"virt/X", "/virt", "virt"},
		"/virtual":          {"root/virtual", "/", "root"},
		"/app/virt/x":       {"app/virt/x", "/app", "app"},
		"/app/../virt/x":    {"virt/x", "/virt", "virt"},
		"/virt/../../etc":   {"root/etc", "/", "root"},
		"/virt/..\\app/x":   {"app/x", "/app", "app"},
		"/application/x":    {"root/application/x", "/", "root"},
		"/a/./b//c/":        {"root/a/b/c", "/", "root"},
		"/..%2f..%2fpasswd": {"root/..%2f..%2fpasswd", "/", "root"},
	} {
		physical, vdir, dir, ok := tree.Map("site", url)
		if !ok || physical != filepath.Join(w.home, want[0]) || vdir != want[1] || dir != filepath.Join(w.home, want[2]) {
			t.Errorf("%s: %s %s %s %v", url, physical, vdir, dir, ok)
		}
	}
	for _, c := range [][2]string{{"Site", "x"}, {"Site", ""}, {"Site", "/a\x00b"}, {"none", "/"}, {"", "/"}} {
		if p, _, _, ok := tree.Map(c[0], c[1]); ok {
			t.Errorf("%q: %s", c, p)
		}
	}
}

func TestCertificateOfABinding(t *testing.T) {
	bind := func(attrs string) map[string]string {
		return apphost(`<site name="A" id="1">` + onlyRoot + `<bindings><binding bindingInformation="*:443:a.b.Example" ` + attrs + `/></bindings><hsts enabled="true" max-age="4294967295" preload="true"/></site>`)
	}
	for attrs, want := range map[string]Binding{
		`protocol="https"`:                                                     {},
		`protocol="https" certificateFile="c\x.pem"`:                           {CertificateFile: "/home/c/x.pem", PrivateKeyFile: "/home/c/x.pem"},
		`protocol="https" certificateFile="/c.pem" privateKeyFile="k.pem"`:     {CertificateFile: "/c.pem", PrivateKeyFile: "/home/k.pem"},
		`protocol="https" certificateFile="c.pem" clientAuthorityFile="a.pem"`: {CertificateFile: "/home/c.pem", PrivateKeyFile: "/home/c.pem", ClientAuthorityFile: "/home/a.pem"},
		`protocol="https" sslFlags="3"`:                                        {CertificateFile: "/home/certificates", SSLFlags: 3},
		`protocol="https" sslFlags="2" certificateFile="/store"`:               {CertificateFile: "/store", SSLFlags: 2},
	} {
		w := newWorld(t, bind(attrs))
		site := w.open().Sites()[0]
		got := site.Bindings[0]
		under := func(p string) string { return strings.Replace(p, "/home", w.home, 1) }
		if got.CertificateFile != under(want.CertificateFile) || want.SSLFlags&SSLCentralStore == 0 && got.PrivateKeyFile != under(want.PrivateKeyFile) ||
			got.ClientAuthorityFile != under(want.ClientAuthorityFile) || got.SSLFlags != want.SSLFlags {
			t.Errorf("%s: %+v", attrs, got)
		}
		if site.HSTS != (HSTS{Enabled: true, MaxAge: 4294967295, Preload: true}) {
			t.Errorf("%+v", site.HSTS)
		}
	}
	for attrs, message := range map[string]string{
		`protocol="http" certificateFile="c.pem"`:                           `a binding with the protocol "http" has no certificateFile`,
		`protocol="https" privateKeyFile="k.pem"`:                           "a privateKeyFile and no certificateFile",
		`protocol="https" certificateFile="C:\c.pem"`:                       "is a path of Windows",
		`protocol="https" sslFlags="2" privateKeyFile="k.pem"`:              "the central store",
		`protocol="https" certificateFile="c.pem" certificateHash="abcdef"`: `no attribute "certificateHash"`,
	} {
		w := newWorld(t, bind(attrs))
		if _, err := w.tryOpen(); err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: %v, want %q", attrs, err, message)
		}
	}
}
