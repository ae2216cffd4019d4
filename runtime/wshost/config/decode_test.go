package config

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

func TestDecode(t *testing.T) {
	w := newWorld(t, map[string]string{"apphost": at("Site", "", `<webSocket pingInterval="00:00:30"/><security><access sslFlags="SslRequireCert,Ssl"/></security><open known="-5" x="1" y="2"/>`),
		"root/web.config": ws(`<open x="3"/><staticContent><mimeMap fileExtension=".a" mimeType="t"/></staticContent>`)})
	e, err := w.open().Effective("Site", "/")
	if err != nil {
		t.Fatal(err)
	}
	type socket struct {
		Enabled  bool          `config:"enabled"`
		Limit    uint32        `config:"receiveBufferLimit"`
		Wide     int64         `config:"receiveBufferLimit"`
		Ping     time.Duration `config:"pingInterval"`
		Pos      Pos           `config:",pos"`
		Untagged string
		Dash     string `config:"-"`
	}
	ws, err := Decode[socket](e, "system.webServer/webSocket")
	if err != nil || !ws.Enabled || ws.Limit != 4194304 || ws.Wide != 4194304 || ws.Ping != 30*time.Second || ws.Pos.Column == 0 {
		t.Errorf("%+v %v", ws, err)
	}
	again, _ := Decode[socket](e, "system.webServer/webSocket")
	if again != ws {
		t.Error("decoded twice")
	}
	type access struct {
		Flags []string `config:"sslFlags"`
	}
	if a, err := Decode[access](e, "system.webServer/security/access"); err != nil || fmt.Sprint(a.Flags) != "[Ssl SslRequireCert]" {
		t.Errorf("%+v %v", a, err)
	}
	type open struct {
		Known int64             `config:"known"`
		Extra map[string]string `config:",extra"`
	}
	if o, err := Decode[open](e, "system.webServer/open"); err != nil || o.Known != -5 || fmt.Sprint(o.Extra) != "map[x:3 y:2]" {
		t.Errorf("%+v %v", o, err)
	}
	type static struct {
		Cache struct {
			Mode string        `config:"cacheControlMode"`
			Age  time.Duration `config:"cacheControlMaxAge"`
		} `config:"clientCache"`
		Items []struct {
			Ext string `config:"fileExtension"`
			Pos Pos    `config:",pos"`
		} `config:",collection"`
	}
	s, err := Decode[static](e, "system.webServer/staticContent")
	if err != nil || s.Cache.Mode != "NoControl" || s.Cache.Age != 24*time.Hour || len(s.Items) != 1 || s.Items[0].Pos.File != filepath.Join(w.home, "root", "web.config") {
		t.Errorf("%+v %v", s, err)
	}
	if _, ok := e.Origin("system.webServer/defaultDocument"); ok {
		t.Error("an origin without a file")
	}
	if pos, ok := e.Origin("system.webServer/webSocket"); !ok || filepath.Base(pos.File) != "apphost" {
		t.Errorf("origin %v", pos)
	}
}

func TestDecodeMismatch(t *testing.T) {
	e, err := newWorld(t, nil).open().Server()
	if err != nil {
		t.Fatal(err)
	}
	const static = "system.webServer/staticContent"
	refuse := func(name string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	_, err = Decode[int](e, static)
	refuse("no struct", err)
	_, err = Decode[struct{}](e, "system.webServer/none")
	refuse("no section", err)
	_, err = Decode[struct {
		X string `config:"nothing"`
	}](e, static)
	refuse("unknown name", err)
	_, err = Decode[struct {
		x string `config:"defaultDocFooter"`
	}](e, static)
	refuse("unexported", err)
	_, err = Decode[struct {
		X int `config:"defaultDocFooter"`
	}](e, static)
	refuse("string as int", err)
	_, err = Decode[struct {
		X int64 `config:"receiveBufferLimit"`
		Y int32 `config:"receiveBufferLimit"`
	}](e, "system.webServer/webSocket")
	refuse("narrow integer", err)
	_, err = Decode[struct {
		X int64 `config:"pingInterval"`
	}](e, "system.webServer/webSocket")
	refuse("span as int64", err)
	_, err = Decode[struct {
		X []struct {
			Y bool `config:"mimeType"`
		} `config:",collection"`
	}](e, static)
	refuse("entry of an empty collection", err)
	_, err = Decode[struct {
		X []string `config:",collection"`
	}](e, static)
	refuse("collection of strings", err)
	_, err = Decode[struct {
		X []struct{} `config:",collection"`
	}](e, "system.webServer/webSocket")
	refuse("no collection", err)
	_, err = Decode[struct {
		X string `config:"clientCache"`
	}](e, static)
	refuse("element as string", err)
	_, err = Decode[struct {
		X string `config:",pos"`
	}](e, static)
	refuse("pos as string", err)
	_, err = Decode[struct {
		X map[string]string `config:",extra"`
	}](e, static)
	refuse("extra of a closed element", err)
}
