package urlrewrite_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// told returns what is not honoured of the web.config of the site, as "line:column name verdict: reason" without what
// repeats the element around it.
func (s *site) told() []string {
	var out []string
	found := s.tree.Inspect(filepath.Join(s.dir, "root"), filepath.Join(s.dir, "root", "web.config"))
	for _, f := range found {
		inner := f.Parent >= 0 && found[f.Parent].Reason == f.Reason
		if f.Verdict == config.Honoured || inner {
			continue
		}
		at := strings.TrimPrefix(f.Name, "system.webServer/rewrite/")
		out = append(out, fmt.Sprintf("%d:%d %s %s: %s", f.Pos.Line, f.Pos.Column, at, f.Verdict, f.Reason))
		if f.Verdict == config.Faulty && (f.Fault.Hint == "" || !f.Examined) {
			out = append(out, "without a next step")
		}
	}
	return out
}

const withMap = `<rewriteMaps><rewriteMap name="Old" defaultValue=""><add key="/a" value="/b" /></rewriteMap></rewriteMaps>`

// TestExamine tells before the first request what it would run into.
func TestExamine(t *testing.T) {
	action := `<action type="Rewrite" url="/x" />`
	condition := func(attributes string) string {
		return `<match url="^a(b)(c)" /><conditions><add ` + attributes + ` /></conditions>` + action
	}
	for _, c := range []struct{ rule, want string }{
		{`<match url="^(a)(.*)$" /><conditions trackAllCaptures="true"><add input="{HTTP_HOST}" pattern="^(.*)\.com$" /><add input="{HTTPS}{C:1}" pattern="(on)" /></conditions><action type="Redirect" url="/{R:2}{C:2}{Old:{URL}}{ToLower:{QUERY_STRING}}" />`, ""},
		{`<match url="^(?!(api|docs)/)(.*)$" /><action type="Rewrite" url="/{R:2}" />`, ""},
		{`<match url="^(?!api/)(.*)$" /><action type="Rewrite" url="/{R:2}" />`, `rules/rule/action/@url no-effect: {R:2} stands for nothing: the pattern of the rule has groups up to {R:1}`},
		{`<match url="*" />` + action, `rules/rule/match fault: rewrite rule "r": the regular expression "*" cannot be read: missing argument`},
		{`<match url="a(?=b)" />` + action, `rules/rule/match fault: rewrite rule "r": the regular expression "a(?=b)" cannot be used: it looks around`},
		{condition(`input="{URL}" pattern="["`), `rules/rule/conditions/add fault: rewrite rule "r": condition: the regular expression "[" cannot be read`},
		{condition(`input="{URL" pattern="a"`), `rules/rule/conditions/add fault: rewrite rule "r": condition: "{URL" cannot be read: a "{" is never closed`},
		{condition(`input="{R:x}" pattern="a"`), `rules/rule/conditions/add fault: rewrite rule "r": condition: "{R:x}" cannot be read: {R:x} needs the number of a group`},
		{`<action type="Redirect" />`, `rules/rule/action fault: rewrite rule "r": an action of type "Redirect" needs a url`},
		{`<action type="CustomResponse" statusCode="600" />`, `rules/rule/action fault: rewrite rule "r": an action of type "CustomResponse" needs a statusCode`},
		{condition(`input="{REQUEST_URL}" pattern="a"`), `rules/rule/conditions/add/@input no-effect: {REQUEST_URL} is no server variable of this host and stands for nothing; did you mean "REQUEST_URI"?`},
		{condition(`input="{{REQUEST_FILENAME}}" matchType="IsFile"`), `rules/rule/conditions/add/@input no-effect: {{REQUEST_FILENAME}} is no server variable of this host and stands for nothing; write {REQUEST_FILENAME}`},
		{condition(`input="{RESPONSE_SERVER}" pattern="a"`), `rules/rule/conditions/add/@input no-effect: {RESPONSE_SERVER} stands for nothing before there is a response`},
		{condition(`input="{HTTP_X_WHATEVER}{R:2}" pattern="a"`), ""},
		{condition(`input="{C:0}" pattern="a"`), `rules/rule/conditions/add/@input no-effect: {C:0} stands for nothing: no condition before it captures so much`},
		{`<match url="^a(b)" /><action type="Rewrite" url="/{R:3}" />`, `rules/rule/action/@url no-effect: {R:3} stands for nothing: the pattern of the rule has groups up to {R:1}`},
		{`<action type="Rewrite" url="/{R:1}" />`, `rules/rule/action/@url no-effect: {R:1} stands for nothing: the pattern of the rule has no group, only {R:0}`},
		{`<match url="^a(b)" negate="true" /><action type="Rewrite" url="/{R:0}" />`, `rules/rule/action/@url no-effect: {R:0} stands for nothing: the pattern of the rule is negated`},
		{`<match url=".*" /><conditions><add input="{URL}" pattern="(a)(b)" /><add input="{URL}" pattern="(a)" /></conditions><action type="Rewrite" url="/{C:2}" />`, `rules/rule/action/@url no-effect: {C:2} stands for nothing`},
		{`<match url=".*" /><conditions logicalGrouping="MatchAny"><add input="{URL}" pattern="(a)(b)" /><add input="{URL}" pattern="(a)" /></conditions><action type="Rewrite" url="/{C:2}" />`, ""},
		{`<action type="Rewrite" url="/{Old:{R:0}}" />`, ""},
		{`<action type="Rewrite" url="/{Olt:{R:0}}" />`, `rules/rule/action unsupported: there is no function and no rewrite map "olt": a request that needs it is answered with 500.50 until it is in <rewriteMaps>; did you mean "Old"?`},
		{`<action type="Rewrite" url="/{ToUpper:{R:0}}" />`, `rules/rule/action unsupported: there is no function and no rewrite map "toupper"`},
		{`<serverVariables><set name="HTTP_X_A" value="1" /></serverVariables>` + action, `rules/rule/serverVariables/set unsupported: the server variable "HTTP_X_A" may not be set`},
		{`<serverVariables><set name="MINE" value="1" /></serverVariables><action type="Rewrite" url="/{MINE}" />`, ""},
	} {
		s := newSite(t, `<rewrite><allowedServerVariables><add name="MINE" /></allowedServerVariables></rewrite>`,
			map[string]string{"web.config": withMap + "\n<rules>" + rule(c.rule) + "</rules>"})
		got := strings.Join(s.told(), "\n")
		if _, said, _ := strings.Cut(got, " "); c.want == "" && got != "" || c.want != "" && !strings.HasPrefix(said, c.want) || strings.Contains(got, "\n") {
			t.Errorf("%s\n got %s\nwant %s", c.rule, got, c.want)
		} else if got != "" && !strings.HasPrefix(got, "2:") {
			t.Errorf("%s: at %s", c.rule, got)
		}
	}
}

func TestExamineOutbound(t *testing.T) {
	for _, c := range []struct{ rules, want string }{
		{`<rule name="r" preCondition="html"><match serverVariable="RESPONSE_X" pattern="(a)" /><action type="Rewrite" value="{R:1}{HTTP_HOST}{RESPONSE_CONTENT_TYPE}" /></rule>`, ""},
		{`<rule name="r" preCondition="none"><match serverVariable="RESPONSE_X" pattern="a" /></rule>`, `outboundRules/rule fault: outbound rule "r": there is no precondition "none"`},
		{`<rule name="r"><match serverVariable="HTTP_X" pattern="a" /></rule>`, `outboundRules/rule/match fault: outbound rule "r": serverVariable "HTTP_X" is no header field of the response`},
		{`<rule name="r"><match filterByTags="CustomTags" customTags="mine" pattern="a" /></rule>`, `outboundRules/rule/match fault: outbound rule "r": there are no custom tags "mine"`},
		{`<rule name="r"><match filterByTags="A" pattern="(" /></rule>`, `outboundRules/rule/match fault: outbound rule "r": the regular expression "(" cannot be read`},
		{`<rule name="r"><match filterByTags="A" pattern="a" /><action type="Rewrite" value="{R:1}" /></rule>`, `outboundRules/rule/action/@value no-effect: {R:1} stands for nothing`},
		{`<rule name="r"><match filterByTags="A" pattern="a" /><action type="Rewrite" value="{none:{R:0}}" /></rule>`, `outboundRules/rule/action unsupported: there is no function and no rewrite map "none"`},
		{`<rule name="r" preCondition="odd"><match filterByTags="A" pattern="a" /></rule>`, `outboundRules/preConditions/preCondition/add/@input no-effect: {RESPONCE_X} is no server variable`},
	} {
		s := newSite(t, "", map[string]string{"web.config": "<outboundRules>" + c.rules + `<preConditions><preCondition name="html"><add input="{RESPONSE_CONTENT_TYPE}" pattern="^text/html" /></preCondition><preCondition name="odd"><add input="{RESPONCE_X}" pattern="a" /></preCondition></preConditions></outboundRules>`})
		got := strings.Join(s.told(), "\n")
		if _, said, _ := strings.Cut(got, " "); c.want == "" && got != "" || c.want != "" && !strings.HasPrefix(said, c.want) || strings.Contains(got, "\n") {
			t.Errorf("%s\n got %s\nwant %s", c.rules, got, c.want)
		}
	}
}

// What is switched off may be broken, and what a file by itself may leave to the files above is not missing.
func TestExamineLeavesAlone(t *testing.T) {
	s := newSite(t, "", rulesOf(`<rule name="a" enabled="false"><match url="(" /></rule><rule name="b"><action type="Rewrite" url="{Above:{R:0}}" /></rule>
<rule name="c"><serverVariables><set name="HTTP_A" value="" /></serverVariables></rule><rule name="d"><match url="(" /></rule>`))
	if got := s.told(); len(got) != 3 || !slices.ContainsFunc(got, func(l string) bool { return strings.Contains(l, `"above"`) }) {
		t.Errorf("%q", got)
	}
	var alone []string
	for _, e := range config.CheckFile(filepath.Join(s.dir, "root", "web.config"), s.schema) {
		alone = append(alone, e.Message)
	}
	if len(alone) != 1 || !strings.HasPrefix(alone[0], `rewrite rule "d"`) {
		t.Errorf("%q", alone)
	}
	if errs := s.tree.CheckSite("S"); len(errs) != 1 || errs[0].Pos.Line != 2 || errs[0].Hint == "" {
		t.Errorf("%v", errs)
	}
}

// TestLocations counts the URL from the folder that a location tag names, as if the file lay there.
func TestLocations(t *testing.T) {
	in := func(path, rules string) string {
		return `<location path="` + path + `"><system.webServer><rewrite><rules>` + rules + `</rules></rewrite></system.webServer></location>`
	}
	hit := func(name, url string) string {
		return `<rule name="` + name + `"><match url="` + url + `" /><action type="Rewrite" url="{R:0}-` + name + `" /></rule>`
	}
	s := newSite(t, "", map[string]string{
		"web.config": `<?xml version="1.0"?><configuration>` + in("sub", hit("sub", "^x$")) + in("Other/Deep/", hit("deep", "^x$")) +
			in("page.htm", hit("page", `^page\.htm$`)) + in(".", hit("root", "^y$")) + `</configuration>`,
		"page.htm": "", "sub/z": "",
		"sub/web.config": `<rules>` + hit("own", "^x-sub$") + `</rules>`,
	})
	s.check(t, []asked{
		{"/sub/x", "/sub/x-sub-own"}, {"/x", "/x"}, {"/other/deep/x", "/other/deep/x-deep"}, {"/OTHER/deep/x", "/OTHER/deep/x-deep"},
		{"/other/x", "/other/x"}, {"/page.htm", "/page.htm-page"}, {"/y", "/y-root"}, {"/sub/y", "/sub/y"},
	})
	server := newSite(t, "", nil)
	server.file("../applicationHost.config", strings.Replace(strings.Replace(appHost, "SERVER", "", 1), "</configuration>",
		in("S/sub", hit("a", "^x$"))+in("S", hit("b", "^sub/y$"))+"</configuration>", 1))
	server.reopen()
	server.check(t, []asked{{"/sub/x", "/sub/x-a"}, {"/x", "/x"}, {"/sub/y", "/sub/y-b"}})
}
