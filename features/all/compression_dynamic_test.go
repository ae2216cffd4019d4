package all_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// answers is an application with an answer for each path.
func answers(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	text := prose(20000)
	h.Set("Content-Type", "text/html; charset=utf-8")
	switch path := strings.TrimPrefix(r.URL.Path, "/app/"); path {
	case "page":
		h.Set("Content-Length", strconv.Itoa(len(text)))
		h.Set("ETag", `"x"`)
		h.Set("Accept-Ranges", "bytes")
		h.Set("Vary", "Cookie")
		_, _ = io.WriteString(w, text)
	case "pieces":
		for i := 0; i < len(text); i += 100 {
			_, _ = io.WriteString(w, text[i:i+100])
		}
	case "copied":
		_, _ = io.Copy(w, strings.NewReader(text))
	case "untyped":
		h.Del("Content-Type")
		_, _ = io.WriteString(w, "<!doctype html>"+text)
	case "no type":
		h["Content-Type"] = nil
		_, _ = io.WriteString(w, text)
	case "json":
		h.Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, text)
	case "image":
		h.Set("Content-Type", "image/png")
		_, _ = io.WriteString(w, text)
	case "255", "256":
		n, _ := strconv.Atoi(path)
		for range n {
			_, _ = w.Write([]byte("a"))
		}
	case "255 told", "256 told":
		n, _ := strconv.Atoi(path[:3])
		h.Set("Content-Length", path[:3])
		_, _ = w.Write(bytes.Repeat([]byte("a"), n))
	case "nothing":
	case "204", "205", "304":
		n, _ := strconv.Atoi(path)
		h.Set("ETag", `"x"`)
		w.WriteHeader(n)
	case "206":
		h.Set("Content-Range", "bytes 0-999/20000")
		w.WriteHeader(206)
		_, _ = io.WriteString(w, text[:1000])
	case "503":
		w.WriteHeader(503)
		_, _ = io.WriteString(w, text)
	case "encoded":
		h.Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.WriteString(z, text)
		_ = z.Close()
	case "no-transform":
		h.Set("Cache-Control", "private, No-Transform")
		_, _ = io.WriteString(w, text)
	case "digest":
		h.Set("Content-Digest", "sha-256=:AAAA:")
		_, _ = io.WriteString(w, text)
	case "early":
		h.Set("Link", "</a.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, text)
	case "broken":
		_, _ = io.WriteString(w, text)
		panic(http.ErrAbortHandler)
	}
}

func TestDynamicCompression(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "static-content", "dynamic-compression"), app(answers))
	text := prose(20000)
	for _, c := range []struct {
		path, body string
		status     int
		coding     string
		vary       string
	}{
		{"page", text, 200, "gzip", "Cookie, Accept-Encoding"},
		{"pieces", text, 200, "gzip", "Accept-Encoding"},
		{"copied", text, 200, "gzip", "Accept-Encoding"},
		{"untyped", "<!doctype html>" + text, 200, "gzip", "Accept-Encoding"},
		{"no%20type", text, 200, "", ""},
		{"json", text, 200, "", ""}, // as on IIS
		{"image", text, 200, "", ""},
		{"255", strings.Repeat("a", 255), 200, "", ""},
		{"256", strings.Repeat("a", 256), 200, "gzip", "Accept-Encoding"},
		{"255%20told", strings.Repeat("a", 255), 200, "", ""},
		{"256%20told", strings.Repeat("a", 256), 200, "gzip", "Accept-Encoding"},
		{"nothing", "", 200, "", ""},
		{"204", "", 204, "", ""},
		{"205", "", 205, "", ""},
		{"304", "", 304, "", "Accept-Encoding"},
		{"206", text[:1000], 206, "", ""},
		{"503", text, 503, "gzip", "Accept-Encoding"},
		{"encoded", text, 200, "gzip", ""},
		{"no-transform", text, 200, "", ""},
		{"digest", text, 200, "", ""},
	} {
		a := h.get("/app/"+c.path, "Accept-Encoding: gzip")
		if a.status != c.status || a.header.Get("Content-Encoding") != c.coding || decoded(t, a) != c.body {
			t.Errorf("%s: %d %v", c.path, a.status, a.header)
		}
		if got := strings.Join(a.header["Vary"], ", "); got != c.vary {
			t.Errorf("%s: Vary %q, want %q", c.path, got, c.vary)
		}
		if c.coding != "" && a.header.Get("Content-Length") != "" && len(a.body) != mustInt(a.header.Get("Content-Length")) {
			t.Errorf("%s: Content-Length %s of %d", c.path, a.header.Get("Content-Length"), len(a.body))
		}
		if p := h.get("/app/" + c.path); c.path != "encoded" && p.header.Get("Content-Encoding") != "" || decoded(t, p) != c.body {
			t.Errorf("%s, plain: %v", c.path, p.header)
		}
	}
	if a := h.get("/app/page", "Accept-Encoding: gzip"); a.header.Get("ETag") != `W/"x"` || a.header.Get("Accept-Ranges") != "" {
		t.Errorf("validators: %v", a.header)
	}
	if a := h.get("/app/page"); a.header.Get("ETag") != `"x"` || a.header.Get("Accept-Ranges") == "" || a.header.Get("Content-Length") != "20000" {
		t.Errorf("validators of the plain answer: %v", a.header)
	}
	for sent, want := range map[string]string{`W/"x"`: `W/"x"`, `"x"`: `"x"`} {
		if a := h.get("/app/304", "Accept-Encoding: gzip", "If-None-Match: "+sent); a.header.Get("ETag") != want {
			t.Errorf("304 for %s: %v", sent, a.header)
		}
	}
	if a := h.ask("HEAD /app/page HTTP/1.1\nAccept-Encoding: gzip", ""); a.header.Get("Content-Encoding") != "" || a.header.Get("Content-Length") != "20000" || len(a.header["Vary"]) != 2 {
		t.Errorf("HEAD: %v", a.header)
	}
	for _, coding := range []string{"br", "zstd", "gzip"} {
		if a := h.get("/app/pieces", "Accept-Encoding: "+coding); a.header.Get("Content-Encoding") != coding || decoded(t, a) != text {
			t.Errorf("%s: %v", coding, a.header)
		}
	}
	h.site("a.txt", text)
	if a := h.get("/a.txt", "Accept-Encoding: gzip"); a.header.Get("Content-Encoding") != "" || a.header.Get("Vary") != "" {
		t.Errorf("a file: %v", a.header)
	}
}

func mustInt(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// TestDynamicCompressionAlone: the sections belong to the other feature, and are there without it.
func TestDynamicCompressionAlone(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "static-content", "http-errors", "dynamic-compression"), app(answers))
	const gz = "Accept-Encoding: gzip"
	for section, want := range map[string]string{
		"": "gzip",
		`<urlCompression doDynamicCompression="false" />`:                               "",
		`<urlCompression doStaticCompression="false" />`:                                "gzip",
		`<httpCompression><dynamicTypes><clear /></dynamicTypes></httpCompression>`:     "",
		`<httpCompression><clear /><scheme name="deflate" dll="x" /></httpCompression>`: "",
	} {
		h.webConfig(section)
		if a := h.get("/app/page", gz); a.status != 200 || a.header.Get("Content-Encoding") != want {
			t.Errorf("%s: %d %v\n%s", section, a.status, a.header, a.body[:min(len(a.body), 300)])
		}
	}
	h.webConfig(`<httpCompression><clear /><scheme name="deflate" dll="x" /></httpCompression>`)
	if a := h.get("/app/page", "Accept-Encoding: deflate"); a.header.Get("Content-Encoding") != "deflate" || decoded(t, a) != prose(20000) {
		t.Errorf("deflate: %v", a.header)
	}
	h.webConfig(`<httpCompression><dynamicTypes><add mimeType="application/json; charset=utf-8" enabled="true" /></dynamicTypes></httpCompression>`)
	if a := h.get("/app/json", gz); a.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("a type with its parameter: %v", a.header)
	}
	h.webConfig(`<urlCompression doDynamicCompression="perhaps" />`)
	if a := h.get("/app/page", gz); a.named() != "500.19" {
		t.Errorf("a faulty section: %s", a.named())
	}
	h.webConfig(`<urlCompression doStaticCompression="false" />`)
	if err := h.uninstallDropIn("dynamic-compression"); err != nil {
		t.Fatal(err)
	}
	if a := h.get("/app/page", gz); a.named() != "500.19" || !strings.Contains(a.body, "rolemgr install static-compression") {
		t.Errorf("without either feature: %s\n%s", a.named(), a.body)
	}
}

func TestCompressionOfBothKinds(t *testing.T) {
	h := startHost(t, newHome(t, everything()...), app(answers))
	h.site("a.txt", prose(20000))
	const gz = "Accept-Encoding: gzip"
	if a := h.get("/app/page", gz); a.header.Get("Content-Encoding") != "gzip" || decoded(t, a) != prose(20000) {
		t.Errorf("an application: %v", a.header)
	}
	if a := h.whole("/a.txt", gz); a.header.Get("Content-Encoding") != "gzip" || a.header.Get("Content-Length") == "" || decoded(t, a) != prose(20000) {
		t.Errorf("a file: %v", a.header)
	}
	h.webConfig(`<urlCompression doStaticCompression="false" />`)
	if a := h.get("/a.txt", gz); a.header.Get("Content-Encoding") != "" {
		t.Errorf("a file, static switched off: %v", a.header)
	}
	// The page of a refusal is no file, also when the module that serves files refuses.
	if a := h.get("/missing.txt", gz); a.status != 404 || a.header.Get("Content-Encoding") != "gzip" || !strings.Contains(decoded(t, a), "404.0") {
		t.Errorf("an error page: %d %v", a.status, a.header)
	}
	// A file that answers for a failure is compressed as any other, under the status of the failure.
	h.webConfig(`<httpErrors errorMode="Custom"><remove statusCode="404" /><error statusCode="404" path="/a.txt" responseMode="ExecuteURL" /></httpErrors>`)
	if a := h.get("/missing.txt", gz); a.status != 404 || a.header.Get("Content-Encoding") != "gzip" || a.header.Get("ETag") != "" || decoded(t, a) != prose(20000) {
		t.Errorf("a file as error page: %d %v", a.status, a.header)
	}
	lines, _ := h.accessLog()
	if len(lines) != 5 {
		t.Errorf("%d lines in the log", len(lines))
	}
}

// TestDynamicCompressionStreams reads an event stream event by event: the next one is sent when the one before has
// arrived, so that anything held back ends in the deadline.
func TestDynamicCompressionStreams(t *testing.T) {
	next := make(chan struct{})
	h := startHost(t, newHome(t, "web-server-core", "static-content", "dynamic-compression"), app(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		rc := http.NewResponseController(w)
		_ = rc.Flush() // the header goes first
		for i := range 5 {
			<-next
			fmt.Fprintf(w, "data: %d\n\n", i)
			if err := rc.Flush(); err != nil {
				t.Error(err)
			}
		}
	}))
	for _, coding := range []string{"gzip", "br", "zstd", "identity"} {
		req, err := http.NewRequest(http.MethodGet, "http://"+h.addr+"/app/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", coding)
		client := &http.Client{Timeout: 20 * time.Second}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var r io.Reader = resp.Body
		next <- struct{}{}
		switch got := resp.Header.Get("Content-Encoding"); got {
		case "gzip":
			r, err = gzip.NewReader(resp.Body)
		case "br":
			r = brotli.NewReader(resp.Body)
		case "zstd":
			r, err = zstd.NewReader(resp.Body, zstd.WithDecoderConcurrency(1))
		case "":
			if coding != "identity" {
				t.Errorf("%s: not compressed", coding)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		br := bufio.NewReader(r)
		for i := range 5 {
			line, err := br.ReadString('\n')
			if err != nil || line != fmt.Sprintf("data: %d\n", i) {
				t.Fatalf("%s: %q %v", coding, line, err)
			}
			if _, err := br.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			if i < 4 {
				next <- struct{}{}
			}
		}
		if _, err := br.ReadByte(); err != io.EOF {
			t.Errorf("%s: the end: %v", coding, err)
		}
		_ = resp.Body.Close()
	}
}

// TestDynamicCompressionLetsUpgradesPass takes the connection over through the writer, and answers 101 through it.
func TestDynamicCompressionLetsUpgradesPass(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "dynamic-compression"), app(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		c, brw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		_, _ = brw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		_ = brw.Flush()
		_, _ = io.CopyN(c, brw, 5)
	}))
	// Without the Upgrade field, which only clients of this protocol know to go without, the writer is in between.
	for _, upgrade := range []string{"", "Connection: Upgrade\r\nUpgrade: echo\r\n"} {
		c, err := net.Dial("tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(c, "GET /app/x HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n"+upgrade+"\r\nhello")
		b, err := io.ReadAll(c)
		if err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 101 ") || !strings.HasSuffix(string(b), "\r\n\r\nhello") {
			t.Errorf("%q: %q %v", upgrade, b, err)
		}
		_ = c.Close()
	}
}

// TestDynamicCompressionOfBrokenAnswers: what broke off must not look whole.
func TestDynamicCompressionOfBrokenAnswers(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "dynamic-compression"), app(answers))
	req, err := http.NewRequest(http.MethodGet, "http://"+h.addr+"/app/broken", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err == nil {
		_, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
	}
	if err == nil {
		t.Error("the answer looks whole")
	}
	req.URL.Path = "/app/early"
	if resp, err = http.DefaultTransport.RoundTrip(req); err != nil || resp.StatusCode != 200 || resp.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("after early hints: %v %v", resp, err)
	}
	_ = resp.Body.Close()
}
