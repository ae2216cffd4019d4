package proxy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Server is one of the proxies.
type Server struct {
	Name    string
	About   string
	program string
	version []string // arguments that make it print its version
	ours    bool     // it starts its application by itself
	// prepare writes the configuration and returns the arguments to serve in the foreground with it.
	prepare func(*stage) ([]string, error)
}

// stage is where a proxy runs: a folder of its own, its port and that of its application.
type stage struct {
	dir     string
	port    int
	appPort int
	program string // what is run
	self    string // this program
	appCPU  int
}

// Servers returns all of them, ours first.
func Servers() []Server {
	return []Server{
		{Name: "rolemgr-tunnel", About: "the built binary, httpPlatform, webSocket enabled=\"false\": bytes pass", program: "rolemgr", ours: true, prepare: oursWith(false)},
		{Name: "rolemgr-relay", About: "the same with webSocket enabled: messages are received, checked and sent", program: "rolemgr", ours: true, prepare: oursWith(true)},
		{Name: "nginx", About: "proxy_pass with the Upgrade recipe of its documentation, buffers as by default", program: "nginx", version: []string{"-v"}, prepare: nginxWith("")},
		{Name: "nginx-32k", About: "the same with proxy_buffer_size 32k, for large messages", program: "nginx", version: []string{"-v"}, prepare: nginxWith("32k")},
		{Name: "haproxy", About: "mode http with timeout tunnel", program: "haproxy", version: []string{"-v"}, prepare: prepareHAProxy},
		{Name: "caddy", About: "reverse_proxy", program: "caddy", version: []string{"version"}, prepare: prepareCaddy},
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
		return nil, fmt.Errorf("there is no proxy %q; there are rolemgr-tunnel, rolemgr-relay, nginx, nginx-32k, haproxy and caddy", name)
	}
	return chosen, nil
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

func (s *stage) write(name, content string) error {
	if err := os.WriteFile(s.path(name), []byte(content), 0o644); err != nil {
		return fmt.Errorf("writing the configuration: %w", err)
	}
	return nil
}

// nginxWith follows Debian's nginx.conf and the recipe of nginx's documentation for WebSocket; buffer is
// proxy_buffer_size, "" for the default. There is one worker because there is one processor.
func nginxWith(buffer string) func(*stage) ([]string, error) {
	return func(s *stage) ([]string, error) {
		var b strings.Builder
		if os.Geteuid() == 0 {
			b.WriteString("user www-data;\n")
		}
		fmt.Fprintf(&b, `worker_processes 1;
worker_rlimit_nofile 16384;
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 16384; }
http {
	sendfile on;
	tcp_nopush on;
	access_log %[1]s/access.log;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	map $http_upgrade $connection_upgrade {
		default upgrade;
		'' close;
	}
	server {
		listen 127.0.0.1:%[2]d;
		location / {
			proxy_pass http://127.0.0.1:%[3]d;
			proxy_http_version 1.1;
			proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Connection $connection_upgrade;
			proxy_set_header Host $http_host;
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
			proxy_set_header X-Forwarded-Proto $scheme;
			proxy_read_timeout 1h;
			proxy_send_timeout 1h;
`, s.dir, s.port, s.appPort)
		if buffer != "" {
			fmt.Fprintf(&b, "\t\t\tproxy_buffer_size %[1]s;\n\t\t\tproxy_buffers 8 %[1]s;\n\t\t\tproxy_busy_buffers_size %[1]s;\n", buffer)
		}
		b.WriteString("\t\t}\n\t}\n}\n")
		return []string{"-p", s.dir, "-e", s.path("error.log"), "-c", s.path("nginx.conf")}, s.write("nginx.conf", b.String())
	}
}

// prepareHAProxy follows Debian's haproxy.cfg, with a log to its output and the time limit of tunnels.
func prepareHAProxy(s *stage) ([]string, error) {
	return []string{"-db", "-f", s.path("haproxy.cfg")}, s.write("haproxy.cfg", fmt.Sprintf(`global
	maxconn 8000
	log stdout format raw local0

defaults
	log global
	mode http
	option httplog
	option dontlognull
	option forwardfor
	timeout connect 5000
	timeout client 50000
	timeout server 50000
	timeout tunnel 1h

frontend web
	bind 127.0.0.1:%d
	default_backend app

backend app
	server app 127.0.0.1:%d
`, s.port, s.appPort))
}

// prepareCaddy writes a Caddyfile.
func prepareCaddy(s *stage) ([]string, error) {
	return []string{"run", "--adapter", "caddyfile", "--config", s.path("Caddyfile")}, s.write("Caddyfile", fmt.Sprintf(`{
	admin off
	auto_https off
}
http://127.0.0.1:%d {
	bind 127.0.0.1
	log {
		output file %s/access.log {
			roll_disabled
		}
	}
	reverse_proxy 127.0.0.1:%d
}
`, s.port, s.dir, s.appPort))
}

// oursWith sets a home up with the commands that people use, and a site whose web.config starts the application.
func oursWith(relay bool) func(*stage) ([]string, error) {
	return func(s *stage) ([]string, error) {
		home, root := s.path("home"), s.path("site")
		if err := os.Mkdir(root, 0o755); err != nil {
			return nil, fmt.Errorf("making the site: %w", err)
		}
		content := fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <system.webServer>
    <handlers>
      <add name="app" path="*" verb="*" modules="httpPlatformHandler" resourceType="Unspecified" />
    </handlers>
    <httpPlatform processPath="%s" arguments="%s %d" />
    <webSocket enabled="%t" />
  </system.webServer>
</configuration>
`, s.self, appCommand, s.appCPU, relay)
		if err := s.write(filepath.Join("site", "web.config"), content); err != nil {
			return nil, err
		}
		for _, args := range [][]string{
			{"install", "web-server", "http-logging", "http-platform", "websocket"},
			{"site", "add", root, "--port", fmt.Sprint(s.port), "--name", "proxied"},
			// The default site would want port 8080.
			{"config", "set", "system.applicationHost/sites/site[name=Default Web Site]", "serverAutoStart=false"},
		} {
			if out, err := exec.Command(s.program, append(args, "--home", home)...).CombinedOutput(); err != nil {
				return nil, fmt.Errorf("rolemgr %s: %w: %s", strings.Join(args, " "), err, out)
			}
		}
		return []string{"serve", "--home", home}, nil
	}
}
