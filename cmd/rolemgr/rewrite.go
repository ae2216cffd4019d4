package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/features/urlrewrite"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/spf13/cobra"
)

type rewriteOptions struct {
	site, method string
	header       []string
}

// rewriteResult is what `rolemgr rewrite test --json` prints.
type rewriteResult struct {
	Version int    `json:"version"`
	Method  string `json:"method"`
	Request string `json:"request"` // the URL, with its host
	Site    string `json:"site"`
	*urlrewrite.Trace
}

func newRewriteCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rewrite",
		Short: "Look at the rules of URL Rewrite",
		Args:  c.noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	o := rewriteOptions{}
	test := &cobra.Command{
		Use:   "test URL",
		Short: "Walk a URL through the rewrite rules of a site, step by step",
		Long: `Walk a URL through the rewrite rules of a site, step by step, with the code that the server itself runs.

Every rule that is looked at is told with the text that its pattern was tested against, each condition with what it stood
for, and the URL after the rule. Nothing is served and nothing is changed; the server need not run, and URL Rewrite need not
be installed. Rules on responses are not run.

--site names a site of this server, or a folder with a web.config that is looked at as a site of its own. Without it, it is
the site whose binding fits the URL.`,
		Example: `  rolemgr rewrite test http://www.example.com/users/7
  rolemgr rewrite test '/index.php?id=1' --site /srv/www/site --header 'User-Agent: probe' --json`,
		Args: argCount(1, 1, "a URL"),
		RunE: func(_ *cobra.Command, args []string) error { return runRewriteTest(c, o, args[0]) },
	}
	f := test.Flags()
	f.StringVar(&o.site, "site", "", "name of a site of this server, or a folder")
	f.StringVar(&o.method, "method", http.MethodGet, "method of the request")
	f.StringArrayVar(&o.header, "header", nil, "a field of the request's header, as \"Name: value\"; may be repeated")
	cmd.AddCommand(test)
	return cmd
}

func runRewriteTest(c *cli, o rewriteOptions, target string) error {
	r, err := o.request(target)
	if err != nil {
		return err
	}
	tree, name, err := c.siteTree(o.site, r)
	if err != nil {
		return err
	}
	q := &module.Request{SiteName: name, Files: wshost.SiteFiles(tree, name)}
	q.Reconfigure = func(urlPath string) *module.HTTPError {
		effective, err := tree.Effective(q.SiteName, urlPath)
		if err == nil {
			q.Config = effective
			return nil
		}
		if ce := (*config.Error)(nil); errors.As(err, &ce) {
			return module.ConfigFailure(ce)
		}
		return &module.HTTPError{Status: http.StatusInternalServerError, Summary: err.Error()}
	}
	if refusal := q.Reconfigure(r.URL.Path); refusal != nil {
		if refusal.Config != nil {
			return refusal.Config
		}
		return refusal
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if name == folderSite && o.site != "" {
		name = o.site
	}
	res := rewriteResult{
		Version: 1, Method: r.Method, Request: scheme + "://" + r.Host + r.RequestURI, Site: name,
		Trace: urlrewrite.Walk(module.WithRequest(r, q), q),
	}
	if err := c.print(res, func(w io.Writer) { writeTrace(w, res) }); err != nil {
		return err
	}
	if res.Action == urlrewrite.ActionError {
		return &silentError{ExitFailed}
	}
	return nil
}

// request makes the request that the rules see, as the host would.
func (o *rewriteOptions) request(target string) (*http.Request, error) {
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" || u.Scheme == "" && !strings.HasPrefix(target, "/") {
		return nil, &usageError{fmt.Sprintf("%q is no URL", target), `write "http://host/path?query", or "/path?query" for any host`}
	}
	r, err := http.NewRequestWithContext(context.Background(), o.method, "http://localhost/", nil)
	if err != nil {
		return nil, &usageError{fmt.Sprintf("%q is no method", o.method), ""}
	}
	r.RequestURI, r.RemoteAddr = u.RequestURI(), "127.0.0.1:0"
	if r.Host = "localhost"; u.Host != "" {
		r.Host = u.Host
	}
	port := 80
	if u.Scheme == "https" {
		r.TLS = &tls.ConnectionState{}
		port = 443
	}
	if p, err := strconv.Atoi(u.Port()); err == nil {
		port = p
	}
	for _, h := range o.header {
		name, value, ok := strings.Cut(h, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, &usageError{fmt.Sprintf("%q is no header field", h), `write it as "Name: value"`}
		}
		if value = strings.TrimSpace(value); strings.EqualFold(name, "Host") {
			r.Host = value
		} else {
			r.Header.Add(name, value)
		}
	}
	clean := path.Clean("/" + u.Path)
	if strings.HasSuffix(u.Path, "/") && clean != "/" {
		clean += "/"
	}
	r.URL = &url.URL{Path: clean, RawQuery: u.RawQuery}
	local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local)), nil
}

// siteTree returns the configuration tree of the site that is asked for, and its name there.
func (c *cli) siteTree(site string, r *http.Request) (*config.Tree, string, error) {
	cat, err := c.catalog()
	if err != nil {
		return nil, "", err
	}
	schema, err := wshost.Schema(cat.Modules(), cat.Modules(), cat.Known())
	if err != nil {
		return nil, "", err
	}
	home, err := c.homeDir()
	if err != nil {
		return nil, "", err
	}
	if info, err := os.Stat(site); err == nil && info.IsDir() {
		tree, err := folderTree(site, home, schema)
		return tree, folderSite, err
	}
	tree, err := config.Open(config.Options{
		AppHost: filepath.Join(home, "config", "applicationHost.config"), DropInDir: filepath.Join(home, "config", "features.d"),
		BaseDir: home, Schema: schema,
	})
	if err != nil {
		return nil, "", &hintedError{fmt.Errorf("read the configuration of the server: %w", err), "name the folder of the site with --site"}
	}
	var names []string
	for _, s := range tree.Sites() {
		names = append(names, strconv.Quote(s.Name))
		if strings.EqualFold(s.Name, site) || site == "" && bound(s, r) {
			return tree, s.Name, nil
		}
	}
	if site != "" {
		return nil, "", &usageError{fmt.Sprintf("%q is neither a site of this server nor a folder", site), "its sites are " + strings.Join(names, ", ")}
	}
	return nil, "", &usageError{fmt.Sprintf("no site has a binding for %q", r.Host), "name one with --site: " + strings.Join(names, ", ")}
}

// bound reports whether a site would be given the request. A URL without a host is any site's.
func bound(s config.Site, r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	for _, b := range s.Bindings {
		if b.Host == "" || strings.EqualFold(b.Host, host) || host == "localhost" {
			return true
		}
	}
	return false
}

// folderSite is the name of the site that a folder is looked at as.
const folderSite = "a folder"

// folderTree makes a configuration tree whose only site is a folder.
func folderTree(dir, home string, schema *config.Schema) (*config.Tree, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp("", "rolemgr-rewrite-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	var b bytes.Buffer
	fmt.Fprint(&b, `<configuration><system.applicationHost><sites><site name="`+folderSite+`" id="1"><application path="/"><virtualDirectory path="/" physicalPath="`)
	_ = xml.EscapeText(&b, []byte(abs)) // a buffer takes everything
	fmt.Fprint(&b, `"/></application></site></sites></system.applicationHost></configuration>`)
	name := filepath.Join(tmp, "applicationHost.config")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		return nil, err
	}
	return config.Open(config.Options{AppHost: name, DropInDir: filepath.Join(home, "config", "features.d"), BaseDir: abs, Schema: schema})
}
