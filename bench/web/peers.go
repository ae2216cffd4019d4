package web

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Server is one of those compared.
type Server struct {
	Name    string
	About   string
	program string
	version []string // arguments that make it print its version
	ours    bool
	raw     bool // no server of files, but the limit of what one can reach
	// prepare writes the configuration and returns the arguments to serve in the foreground with it.
	prepare func(*stage) ([]string, error)
}

// stage is where a server runs: a folder of its own, the folders with the files, and a port for each site.
type stage struct {
	dir     string // for configuration and logs
	plain   string // the folder of the site without rules
	ruled   string // and of the one with rules
	ports   [2]int // of the two
	program string // what is run
}

// Servers returns all of them, ours first.
func Servers() []Server {
	return []Server{
		{Name: "rolemgr", About: "the built binary; a home with the default features, URL Rewrite and both compressions; two sites", program: "rolemgr", ours: true, prepare: prepareOurs},
		{Name: "nginx", About: "as Debian configures it; gzip on the fly, gzip_static for files that are there", program: "nginx", version: []string{"-v"}, prepare: prepareNginx},
		{Name: "caddy", About: "Caddyfile with file_server, encode gzip, and precompressed for files that are there", program: "caddy", version: []string{"version"}, prepare: prepareCaddy},
		{Name: "apache", About: "mpm_event as Debian configures it; mod_deflate, EnableSendfile; rules in the host, no .htaccess", program: "apache2", version: []string{"-v"}, prepare: prepareApache},
		{Name: "net-http", About: "Go's net/http with everything in memory, no log, no rules: what is left of a server on it", raw: true, prepare: prepareFloor},
	}
}

// Choose returns the named servers, all when names is empty.
func Choose(names string) ([]Server, error) {
	if names == "" {
		return Servers(), nil
	}
	var chosen []Server
next:
	for name := range strings.SplitSeq(names, ",") {
		for _, s := range Servers() {
			if s.Name == name {
				chosen = append(chosen, s)
				continue next
			}
		}
		return nil, fmt.Errorf("there is no server %q; there are rolemgr, nginx, caddy, apache and net-http", name)
	}
	return chosen, nil
}

// ChooseScenarios returns the named scenarios, all when names is empty.
func ChooseScenarios(names string) ([]Scenario, error) {
	if names == "" {
		return Scenarios(), nil
	}
	var chosen []Scenario
	for name := range strings.SplitSeq(names, ",") {
		n := len(chosen)
		for _, s := range Scenarios() {
			if s.Name == name {
				chosen = append(chosen, s)
			}
		}
		if len(chosen) == n {
			return nil, fmt.Errorf("there is no scenario %q; \"bench list\" shows them", name)
		}
	}
	return chosen, nil
}

// asRoot reports whether servers are to give up root's rights, as they do when Debian starts them.
func asRoot() bool { return os.Geteuid() == 0 }

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

func (s *stage) write(name, content string) error {
	if err := os.WriteFile(s.path(name), []byte(content), 0o644); err != nil {
		return fmt.Errorf("writing a configuration: %w", err)
	}
	return nil
}

// prepareNginx follows Debian's nginx.conf. Requests of a connection are not limited, as for every server here.
func prepareNginx(s *stage) ([]string, error) {
	var b strings.Builder
	if asRoot() {
		b.WriteString("user www-data;\n")
	}
	fmt.Fprintf(&b, `worker_processes 1;
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 768; }
http {
	sendfile on;
	tcp_nopush on;
	types_hash_max_size 2048;
	keepalive_requests 1000000000;
	include /etc/nginx/mime.types;
	default_type application/octet-stream;
	access_log %[1]s/access.log;
	gzip on;
	gzip_comp_level %[2]d;
	gzip_vary on;
	gzip_types text/plain;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
`, s.dir, Level)
	for i, root := range []string{s.plain, s.ruled} {
		fmt.Fprintf(&b, "\tserver {\n\t\tlisten 127.0.0.1:%d;\n\t\troot %s;\n\t\tlocation /ready/ { gzip_static on; }\n", s.ports[i], root)
		if i == 1 {
			for _, r := range rules() {
				fmt.Fprintf(&b, "\t\trewrite \"(?i)^/%s\" %s last;\n", r.pattern[1:], r.group("$", ""))
			}
		}
		b.WriteString("\t}\n")
	}
	b.WriteString("}\n")
	return []string{"-p", s.dir, "-e", s.path("error.log"), "-c", s.path("nginx.conf")}, s.write("nginx.conf", b.String())
}

// prepareCaddy writes a Caddyfile. Only the first rewrite that matches is carried out, as with the others.
func prepareCaddy(s *stage) ([]string, error) {
	var b strings.Builder
	b.WriteString("{\n\tadmin off\n\tauto_https off\n}\n")
	for i, root := range []string{s.plain, s.ruled} {
		fmt.Fprintf(&b, `http://127.0.0.1:%d {
	bind 127.0.0.1
	root * %s
	log {
		output file %s/access%d.log {
			roll_disabled
		}
	}
	encode {
		gzip %d
	}
`, s.ports[i], root, s.dir, i, Level)
		if i == 1 {
			for n, r := range rules() {
				fmt.Fprintf(&b, "\t@r%[1]d path_regexp r%[1]d (?i)^/%[2]s\n\trewrite @r%[1]d %[3]s\n", n, r.pattern[1:], r.group(fmt.Sprintf("{re.r%d.", n), "}"))
			}
		}
		b.WriteString("\thandle /ready/* {\n\t\tfile_server {\n\t\t\tprecompressed gzip\n\t\t}\n\t}\n\thandle {\n\t\tfile_server\n\t}\n}\n")
	}
	return []string{"run", "--adapter", "caddyfile", "--config", s.path("Caddyfile")}, s.write("Caddyfile", b.String())
}

// prepareApache follows Debian's apache2.conf and mpm_event.conf, with the modules that are needed. There are threads
// enough for every connection: with the 50 that Debian starts with, it closes connections that are to stay open.
func prepareApache(s *stage) ([]string, error) {
	var b strings.Builder
	for _, m := range []string{"mpm_event", "authz_core", "mime", "filter", "deflate", "rewrite", "headers", "reqtimeout"} {
		fmt.Fprintf(&b, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", m, m)
	}
	if asRoot() {
		b.WriteString("User www-data\nGroup www-data\n")
	}
	fmt.Fprintf(&b, `ServerRoot %[1]s
ServerName localhost
PidFile %[1]s/apache.pid
DefaultRuntimeDir %[1]s
Mutex file:%[1]s default
ErrorLog %[1]s/error.log
Timeout 300
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 5
HostnameLookups Off
StartServers 2
MinSpareThreads 64
MaxSpareThreads 128
ThreadLimit 64
ThreadsPerChild 64
MaxRequestWorkers 128
MaxConnectionsPerChild 0
EnableSendfile On
RequestReadTimeout header=20-40,minrate=500 body=10,minrate=500
TypesConfig /etc/mime.types
LogFormat "%%h %%l %%u %%t \"%%r\" %%>s %%O \"%%{Referer}i\" \"%%{User-Agent}i\"" combined
DeflateCompressionLevel %[2]d
`, s.dir, Level)
	for i, root := range []string{s.plain, s.ruled} {
		fmt.Fprintf(&b, `Listen 127.0.0.1:%[1]d
<VirtualHost 127.0.0.1:%[1]d>
	DocumentRoot %[2]s
	CustomLog %[3]s/access%[4]d.log combined
	<Directory %[2]s>
		Require all granted
		AllowOverride None
		AddOutputFilterByType DEFLATE text/plain
	</Directory>
	RewriteEngine On
`, s.ports[i], root, s.dir, i)
		if i == 1 {
			for n, r := range rules() {
				flags := "NC,L"
				if n == len(rules())-1 {
					flags = "NC" // the rule for compressed files follows
				}
				fmt.Fprintf(&b, "\tRewriteRule \"^/%s\" \"%s\" [%s]\n", r.pattern[1:], r.group("$", ""), flags)
			}
		}
		// The recipe of mod_deflate's documentation for compressed files.
		fmt.Fprintf(&b, `	RewriteCond "%%{HTTP:Accept-encoding}" "gzip"
	RewriteRule "^/ready/(.*)\.txt$" "/ready/$1.txt.gz" [QSA]
	RewriteRule "\.txt\.gz$" "-" [T=text/plain,E=no-gzip:1]
	<FilesMatch "\.txt\.gz$">
		Header append Content-Encoding gzip
		Header append Vary Accept-Encoding
	</FilesMatch>
</VirtualHost>
`)
	}
	return []string{"-DFOREGROUND", "-f", s.path("apache.conf")}, s.write("apache.conf", b.String())
}

// prepareOurs sets a home up with the commands that people use.
func prepareOurs(s *stage) ([]string, error) {
	home := s.path("home")
	var rewrite strings.Builder
	rewrite.WriteString("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<configuration>\n  <system.webServer>\n    <rewrite>\n      <rules>\n")
	for i, r := range rules() {
		fmt.Fprintf(&rewrite, "        <rule name=\"rule %d\" stopProcessing=\"true\">\n          <match url=\"%s\" />\n          <action type=\"Rewrite\" url=\"%s\" />\n        </rule>\n",
			i+1, r.pattern, r.group("{R:", "}"))
	}
	rewrite.WriteString("      </rules>\n    </rewrite>\n  </system.webServer>\n</configuration>\n")
	if err := os.WriteFile(filepath.Join(s.ruled, "web.config"), []byte(rewrite.String()), 0o644); err != nil {
		return nil, fmt.Errorf("writing the rules: %w", err)
	}
	for _, args := range [][]string{
		{"install", "web-server", "http-logging", "url-rewrite", "static-compression", "dynamic-compression"},
		{"site", "add", s.plain, "--port", fmt.Sprint(s.ports[0]), "--name", "plain"},
		{"site", "add", s.ruled, "--port", fmt.Sprint(s.ports[1]), "--name", "ruled"},
		{"config", "set", "httpCompression/scheme[name=gzip]", fmt.Sprintf("staticCompressionLevel=%d", Level)},
		// The default site would want port 8080.
		{"config", "set", "system.applicationHost/sites/site[name=Default Web Site]", "serverAutoStart=false"},
	} {
		out, err := exec.Command(s.program, append(args, "--home", home)...).CombinedOutput()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("rolemgr %s: %w: %s", strings.Join(args, " "), err, out))
		}
	}
	return []string{"serve", "--home", home}, nil
}
