package reverseproxy

import (
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

const proxyPath = "system.webServer/proxy"

// proxyConfig is system.webServer/proxy, and <protocol> of a farm, which says the same of the servers of that farm.
type proxyConfig struct {
	Timeout       time.Duration `config:"timeout"`
	PreserveHost  bool          `config:"preserveHostHeader"`
	ReverseHost   bool          `config:"reverseRewriteHostInResponseHeaders"`
	ForwardedFor  string        `config:"xForwardedForHeaderName"`
	ForwardedPort bool          `config:"includePortInXForwardedFor"`
	MaxForwards   uint32        `config:"maxForwards"`
}

// proxySwitch is what <proxy> has beside that.
type proxySwitch struct {
	Enabled bool       `config:"enabled"`
	Pos     config.Pos `config:",pos"`
}

const (
	streamed = "bodies are passed on as they come, in both directions"
	version  = "other servers are asked in HTTP/1.1, and lines to them are kept and used again"
	noCache  = "there is no cache of answers"
)

// protocol are the attributes that <proxy> and <protocol> have in common.
func protocol(timeout, preserve, reverse string) []config.Attribute {
	return []config.Attribute{
		{Name: "timeout", Type: config.TimeSpan, Default: timeout, Check: config.TimeSpanRange(1, 86400, 1)},
		{Name: "preserveHostHeader", Type: config.Bool, Default: preserve},
		{Name: "reverseRewriteHostInResponseHeaders", Type: config.Bool, Default: reverse},
		{Name: "xForwardedForHeaderName", Type: config.String, Default: "X-Forwarded-For", Check: fieldName},
		{Name: "includePortInXForwardedFor", Type: config.Bool, Default: "true"},
		{Name: "maxForwards", Type: config.Uint, Default: "10", Check: config.IntegerRange(0, 1<<31-1)},
		{Name: "httpVersion", Type: config.Enum, Default: "PassThrough", NoEffect: version, Values: []config.Value{
			{Name: "PassThrough", Value: 0}, {Name: "Http10", Value: 1}, {Name: "Http11", Value: 2},
		}},
		{Name: "keepAlive", Type: config.Bool, Default: "true", NoEffect: version},
		{Name: "responseBufferLimit", Type: config.Uint, Default: "4096", NoEffect: streamed},
		{Name: "minResponseBuffer", Type: config.Uint, Default: "256", NoEffect: streamed},
		{Name: "bufferChunkedResponses", Type: config.Bool, Default: "true", NoEffect: streamed},
	}
}

// cache is what ARR keeps of answers.
func cache() []config.Element {
	return []config.Element{{Name: "cache", AllowUnrecognizedAttributes: true, NoEffect: noCache}}
}

// proxySection is for an administrator, as on IIS: whoever may write a rule could otherwise switch the proxy on.
func proxySection() config.Section {
	return config.Section{Path: proxyPath, OverrideModeDefault: config.Deny, Element: config.Element{
		Name: "proxy",
		Attributes: append([]config.Attribute{{Name: "enabled", Type: config.Bool, Default: "false"}},
			protocol("00:02:00", "false", "true")...),
		Elements: cache(),
	}}
}
