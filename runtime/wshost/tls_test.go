package wshost

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// named is a module that answers with the site, the protocol and whether there is TLS.
func named() *fake {
	return &fake{name: "HelloModule", serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = fmt.Fprintf(w, "%s %s %v", module.FromRequest(r).SiteName, r.Proto, r.TLS != nil)
	}}
}

func TestCertificateByName(t *testing.T) {
	a := newAuthority(t, "test")
	h := newTestHost(t, named())
	addr := freeAddr(t)
	for _, n := range []string{"a", "b", "any"} {
		h.issue(a, "certificates/"+n, n+".example")
	}
	chain, key := a.issue(t, nil, "*.store.example")
	h.secret("certificates/_.store.example.pem", chain+key)
	chain, key = a.issue(t, nil, "own.store.example")
	h.secret("store/own.store.example.pem", key+chain)
	bind := func(host string, flags int, file string) string {
		return fmt.Sprintf(`bindingInformation="%s:%s" sslFlags="%d" certificateFile="certificates/%s.pem" privateKeyFile="certificates/%s.key"`, addr, host, flags, file, file)
	}
	store := `bindingInformation="` + addr + `:%s" sslFlags="3"%s`
	names := h.secure(1, "A", "", bind("a.example", 1, "a")) + h.secure(2, "B", "", bind("B.Example", 1, "b")) +
		h.secure(3, "Store", "", fmt.Sprintf(store, "x.store.example", ""), fmt.Sprintf(store, "own.store.example", ` certificateFile="store"`))
	h.configure(names)
	h.start()

	for name, want := range map[string]string{
		"a.example": "a.example", "A.EXAMPLE": "a.example", "b.example": "b.example", "x.store.example": "*.store.example",
		"own.store.example": "own.store.example", "c.example": "unrecognized name", "": "unrecognized name",
	} {
		if got := shown(addr, name); !strings.Contains(got, want) && !(strings.Contains(want, "unrecognized") && strings.Contains(got, "remote error: tls:")) {
			t.Errorf("the name %q is shown %q, want %q", name, got, want)
		}
	}
	// A binding that is not for names only takes everybody else: what it does not serve is answered with 404.1.
	h.configure(names + h.secure(4, "Any", "", bind("any.example", 0, "any")))
	h.reload()
	for _, name := range []string{"any.example", "c.example", ""} {
		if got := shown(addr, name); got != "any.example" {
			t.Errorf("the name %q is shown %q", name, got)
		}
	}
	c := tlsClient(a, addr, func(c *tls.Config) { c.InsecureSkipVerify = true })
	if resp, _ := fetch(t, c, "https://c.example/"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown host is answered with %s", resp.Status)
	}
	for host, want := range map[string]string{"a.example": "A HTTP/2.0 true", "b.example": "B HTTP/2.0 true", "own.store.example": "Store HTTP/2.0 true"} {
		if resp, body := fetch(t, tlsClient(a, addr, nil), "https://"+host+"/"); body != want {
			t.Errorf("%s: %s %q, want %q", host, resp.Status, body, want)
		}
	}
}

func TestTLSVersions(t *testing.T) {
	a := newAuthority(t, "test")
	h := newTestHost(t, named())
	addr := freeAddr(t)
	h.issue(a, "c", "a.example")
	set := func(flags int) {
		h.configure(h.secure(1, "A", "", fmt.Sprintf(`bindingInformation="%s:" sslFlags="%d" certificateFile="c.pem" privateKeyFile="c.key"`, addr, flags)))
	}
	set(0)
	h.start()
	for _, c := range []struct {
		flags    int
		max      uint16
		protocol string
		want     string
	}{
		{0, tls.VersionTLS11, "", "protocol version"},
		{0, tls.VersionTLS12, "h2", "TLS 1.2 h2"},
		{0, tls.VersionTLS13, "h2", "TLS 1.3 h2"},
		{0, tls.VersionTLS13, "http/1.1", "TLS 1.3 http/1.1"},
		{0, tls.VersionTLS13, "spdy/3", "no application protocol"},
		{4, tls.VersionTLS13, "h2", "no application protocol"},
		{4, tls.VersionTLS13, "http/1.1", "TLS 1.3 http/1.1"},
		{32, tls.VersionTLS13, "h2", "TLS 1.2 h2"},
	} {
		set(c.flags)
		h.reload()
		got := ""
		conn, err := dialTLS(addr, "a.example", func(o *tls.Config) {
			o.MinVersion, o.MaxVersion = tls.VersionTLS10, c.max
			if c.protocol != "" {
				o.NextProtos = []string{c.protocol}
			}
		})
		if err != nil {
			got = err.Error()
		} else {
			got = tls.VersionName(conn.ConnectionState().Version) + " " + conn.ConnectionState().NegotiatedProtocol
			_ = conn.Close()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q", c, got)
		}
	}
	// Who speaks plain HTTP is told so.
	if resp := dialRaw(t, addr).send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").response(); resp.StatusCode != 400 {
		t.Errorf("http on the port of https: %s", resp.Status)
	}
}

// TestCertificateIsReplaced holds that a new pair is used for the next handshake and cuts nobody, and that one that cannot
// be used leaves the old one in use.
func TestCertificateIsReplaced(t *testing.T) {
	a := newAuthority(t, "test")
	h := newTestHost(t, upgrader())
	addr := freeAddr(t)
	h.issue(a, "c", "first.example")
	h.configure(h.secure(1, "A", "", fmt.Sprintf(`bindingInformation="%s:" certificateFile="c.pem" privateKeyFile="c.key"`, addr)))
	h.start()
	generation := h.s.Status().Generation

	var open []*rawConn
	for range 100 {
		c, err := dialTLS(addr, "a.example", nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		raw := rawOver(t, c).send(upgradeRequest)
		if resp := raw.response(); resp.StatusCode != 101 {
			t.Fatal(resp.Status)
		}
		open = append(open, raw)
	}
	status := func() CertificateStatus { return h.s.Status().Certificates[0] }
	settle := func() { h.s.certs.look(); h.s.certs.look() }

	chain, key := a.issue(t, nil, "second.example")
	h.secret("c.pem", chain)
	settle()
	if st := status(); shown(addr, "a.example") != "first.example" || !strings.Contains(st.Problem, "the key in") || !st.InUse || st.Subject != "CN=first.example" {
		t.Errorf("with half of the new pair: %q, %+v", shown(addr, "a.example"), st)
	}
	if r := h.reload(); len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "the one of before stays in use") {
		t.Errorf("a reload tells %q", r.Warnings)
	}
	h.secret("c.key", key)
	settle()
	if st := status(); shown(addr, "a.example") != "second.example" || st.Problem != "" || st.Names[0] != "second.example" {
		t.Errorf("with the new pair: %q, %+v", shown(addr, "a.example"), st)
	}
	for text, want := range map[string]string{"": "no certificate in PEM form", "0\x82": "no certificate in PEM form", chain[:200] + "\n-----END CERTIFICATE-----\n": "certificate"} {
		h.secret("c.pem", text)
		settle()
		if st := status(); shown(addr, "a.example") != "second.example" || !strings.Contains(st.Problem, want) {
			t.Errorf("with a broken file: %q, %+v", shown(addr, "a.example"), st)
		}
	}
	// Without a look of its own, the watch finds it in time.
	h.issue(a, "c", "third.example")
	eventually(t, "the third certificate is shown", func() bool { return shown(addr, "a.example") == "third.example" })
	for _, c := range open {
		c.send("still there\n")
		if line, err := c.r.ReadString('\n'); err != nil || line != "still there\n" {
			t.Fatalf("a socket from before answers %q, %v", line, err)
		}
	}
	if st := h.s.Status(); st.Sockets["sockets"] != 100 || st.Generation != generation+1 {
		t.Errorf("%+v", st)
	}
}

// TestMissingCertificate holds that a certificate that cannot be read keeps nothing else from being served, and that
// its binding begins to serve by itself when it can.
func TestMissingCertificate(t *testing.T) {
	a := newAuthority(t, "test")
	h := newTestHost(t, named())
	addr := freeAddr(t)
	plain := freeAddr(t)
	h.issue(a, "good", "good.example")
	bind := `bindingInformation="` + addr + `:%[1]s.example" sslFlags="1" certificateFile="%[1]s.pem" privateKeyFile="%[1]s.key"`
	h.configure(h.secure(1, "Good", "", fmt.Sprintf(bind, "good")) + h.secure(2, "Bad", "", fmt.Sprintf(bind, "bad")) + h.site(3, "Plain", "", plain+":"))
	h.start()
	if got := shown(addr, "good.example"); got != "good.example" {
		t.Errorf("the good one is shown %q", got)
	}
	if code, _ := get(t, "http://"+plain+"/"); code != 200 {
		t.Errorf("the plain site is answered with %d", code)
	}
	if got := shown(addr, "bad.example"); !strings.Contains(got, "remote error: tls:") {
		t.Errorf("the bad one is shown %q", got)
	}
	st := h.s.Status().Certificates[0]
	if st.InUse || !strings.Contains(st.Problem, "no such file") || !strings.Contains(st.Hint, "rolemgr cert dev") || len(st.Bindings) != 1 || !strings.HasPrefix(st.Bindings[0], "https://bad.example:") {
		t.Errorf("%+v", st)
	}
	if !strings.Contains(h.log.String(), "bad.pem") {
		t.Errorf("the log does not name the file")
	}
	h.issue(a, "bad", "bad.example")
	eventually(t, "the bad one is good", func() bool { return shown(addr, "bad.example") == "bad.example" })
	// Nobody looks at certificates of the past.
	h.configure(h.site(3, "Plain", "", plain+":"))
	h.reload()
	if n := len(h.s.certs.pairs); n != 0 {
		t.Errorf("%d certificates are looked at, and none is named", n)
	}
}

// TestProtocolOfAPort holds that a port is for one protocol, which can change, and what a refused change leaves.
func TestProtocolOfAPort(t *testing.T) {
	a := newAuthority(t, "test")
	h := newTestHost(t, named())
	addr := freeAddr(t)
	port := addr[strings.LastIndex(addr, ":")+1:]
	h.issue(a, "c", "a.example")
	const cert = ` certificateFile="c.pem" privateKeyFile="c.key"`
	h.configure(h.site(1, "A", "", addr+":"))
	h.start()
	h.configure(h.site(1, "A", "", addr+":") + h.secure(2, "B", "", `bindingInformation="*:`+port+`:b.example"`+cert))
	if _, err := h.s.Reload(t.Context()); err == nil || !strings.Contains(err.Error(), "for another protocol") {
		t.Fatalf("one port for two protocols: %v", err)
	}
	for range 2 {
		h.configure(h.secure(1, "A", "", `bindingInformation="`+addr+`:"`+cert))
		h.reload()
		if _, body := fetch(t, tlsClient(a, addr, nil), "https://a.example/"); body != "A HTTP/2.0 true" {
			t.Errorf("over https: %q", body)
		}
		h.configure(h.site(1, "A", "", addr+":"))
		h.reload()
		if _, body := get(t, "http://"+addr+"/"); body != "A HTTP/1.1 false" {
			t.Errorf("over http: %q", body)
		}
	}
}

func TestHSTS(t *testing.T) {
	a := newAuthority(t, "test")
	h := newTestHost(t, named())
	plain, secure := freeAddr(t), freeAddr(t)
	port := secure[strings.LastIndex(secure, ":"):]
	h.issue(a, "c", "a.example")
	cert := `bindingInformation="` + secure + `:a.example" certificateFile="c.pem" privateKeyFile="c.key"`
	client := tlsClient(a, secure, nil)
	set := func(hsts string) {
		s := h.site(1, "A", hsts, plain+":")
		h.configure(strings.Replace(s, "</bindings>", `<binding protocol="https" `+cert+"/></bindings>", 1))
	}
	set("")
	h.start()
	for _, c := range []struct{ hsts, header, location string }{
		{``, "", ""},
		{`<hsts max-age="300" preload="true"/>`, "", ""},
		{`<hsts enabled="true"/>`, "max-age=0", ""},
		{`<hsts enabled="true" max-age="31536000" includeSubDomains="true" preload="true"/>`, "max-age=31536000; includeSubDomains; preload", ""},
		{`<hsts enabled="true" max-age="1" redirectHttpToHttps="true"/>`, "max-age=1", "https://a.example" + port + "/x%20y?q=1"},
	} {
		set(c.hsts)
		h.reload()
		if resp, _ := fetch(t, client, "https://a.example/"); resp.Header.Get("Strict-Transport-Security") != c.header || resp.StatusCode != 200 {
			t.Errorf("%s: over https %s, %v", c.hsts, resp.Status, resp.Header)
		}
		resp := dialRaw(t, plain).send("GET /x%20y?q=1 HTTP/1.1\r\nHost: A.example:81\r\n\r\n").response()
		want := 200
		if c.location != "" {
			want = http.StatusMovedPermanently
		}
		if resp.StatusCode != want || resp.Header.Get("Location") != c.location || resp.Header.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: over http %s, %v", c.hsts, resp.Status, resp.Header)
		}
	}
	// IIS leads to port 443 whatever the bindings are; so does a site without any other.
	s := &site{}
	s.HSTS.Redirect = true
	r, _ := http.NewRequest("GET", "http://[::1]:80/x", nil)
	r.RequestURI = "/x"
	if got := s.httpsURL(r); got != "https://[::1]/x" {
		t.Error(got)
	}
}
