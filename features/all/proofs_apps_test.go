package all_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The first argument that makes the test program a program of an application, or one of FastCGI.
const (
	proofProgram = "proof-program"
	proofFastCGI = "proof-fastcgi"
)

// runProofProgram is an HTTP server that does what the query says. args say what is wrong with it.
func runProofProgram(args []string) int {
	switch {
	case len(args) > 0 && args[0] == "fails":
		fmt.Println("the program is broken")
		return 3
	case len(args) > 1 && args[0] == "third": // it starts when it was tried twice before
		f, _ := os.OpenFile(args[1], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		_, _ = f.WriteString("x")
		if b, _ := os.ReadFile(args[1]); len(b) < 3 {
			return 4
		}
	}
	err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch q := r.URL.Query(); q.Get("do") {
		case "args":
			fmt.Fprint(w, strings.Join(args, " "))
		case "env":
			fmt.Fprint(w, os.Getenv(q.Get("name")))
		case "field":
			fmt.Fprint(w, r.Header.Get(q.Get("name")))
		case "pid":
			fmt.Fprint(w, os.Getpid())
		case "slow":
			time.Sleep(1400 * time.Millisecond)
		case "wait": // until somebody makes the file
			_ = os.WriteFile(q.Get("file")+".busy", nil, 0o600)
			for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
				if _, err := os.Stat(q.Get("file")); err == nil {
					return
				}
			}
		}
	}))
	fmt.Println(err)
	return 1
}

// self is the path of the test program.
func self() string {
	exe, err := os.Executable()
	if err != nil {
		return err.Error()
	}
	return exe
}

func platformProofs() []proofs {
	return []proofs{
		platform("httpPlatform", "httpPlatformHandler", []proof{
			{of: "@startupRetryCount", in: `<httpPlatform processPath="` + self() + `" arguments="` + proofProgram + ` third $SITE/tries" §/>`, with: "2", without: "1", want: "200", otherwise: "502.5"},
		}),
		platform("aspNetCore", "AspNetCoreModuleV2", []proof{
			{of: "@shutdownTimeLimit", by: "features/httpplatform TestGracefulStop"},
			{of: "@disableStartUpErrorPage", in: `<aspNetCore processPath="` + self() + `" arguments="` + proofProgram + ` fails" §/>`, with: "true", without: unset, see: "has exit code 3", want: "502.5 false", otherwise: "502.5 true"},
		}),
	}
}

// platform are the proofs of what <httpPlatform> and <aspNetCore> have in common, and more.
func platform(name, module string, more []proof) proofs {
	in := func(attributes, content string) string {
		return `<` + name + ` processPath="` + self() + `" ` + attributes + `>` + content + `</` + name + `>`
	}
	run := func(attributes string) string { return in(`arguments="`+proofProgram+`" `+attributes, "") }
	child := func(content string) string { return in(`arguments="`+proofProgram+`"`, content) }
	fails := `arguments="` + proofProgram + ` fails" `
	if name == "httpPlatform" {
		fails += `startupRetryCount="0" `
	}
	variable := func(s string) string { return child(`<environmentVariables>` + s + `</environmentVariables>`) }
	file := func(s string) string { return child(`<recycleOnFileChange>` + s + `</recycleOnFileChange>`) }
	const value = `<environmentVariable name="APP_A" value="v"/>`
	return proofs{
		section: "system.webServer/" + name,
		beside:  `<handlers><add name="program" path="*" verb="*" modules="` + module + `" resourceType="Unspecified"/></handlers>`,
		cases: append([]proof{
			{of: "@processPath", in: `<` + name + ` § arguments="` + proofProgram + `"/>`, with: self(), without: "./none", want: "200", otherwise: "502.5"},
			{of: "@arguments", in: in("§", ""), with: proofProgram + " one", without: proofProgram + " two", ask: "/?do=args", see: "body", want: "200 one", otherwise: "200 two"},
			{of: "@startupTimeLimit", by: "features/httpplatform TestStartFailures"},
			{of: "@rapidFailsPerMinute", in: in(fails+"§", ""), with: "1", without: "2", do: threeTimes, want: "502.5 502.5 503.0", otherwise: "502.5 502.5 502.5"},
			{of: "@stdoutLogEnabled", in: run("§"), with: "true", without: unset, do: outputLogs, want: "200 " + strings.ToLower(name) + "-stdout", otherwise: "200 "},
			{of: "@stdoutLogFile", in: run(`stdoutLogEnabled="true" §`), with: `.\own\mine`, without: `.\own\other`, do: outputLogs, want: "200 own/mine", otherwise: "200 own/other"},
			{of: "@processesPerApplication", in: run("§"), with: "2", without: "1", ask: "/?do=pid", do: processes, wait: true, want: "2", otherwise: "1"},
			{of: "@drainTimeLimit", by: "features/httpplatform TestDrainDeadline"},
			{of: "@requestTimeout", in: run("§"), with: "00:00:01", without: unset, ask: "/?do=slow", want: "502.3", otherwise: "200"},
			{of: "@user", in: run("§"), with: "no-such-user", without: unset, want: "502.5", otherwise: "200"},
			{of: "environmentVariables/environmentVariable@name", in: variable(`<environmentVariable § value="v"/>`), with: "APP_A", without: "APP_B", ask: "/?do=env&name=APP_A", see: "body", want: "200 v", otherwise: "200 "},
			{of: "environmentVariables/environmentVariable@value", in: variable(`<environmentVariable name="APP_A" §/>`), with: "1", without: "2", ask: "/?do=env&name=APP_A", see: "body", want: "200 1", otherwise: "200 2"},
			{of: "environmentVariables#clear", in: variable(value + "§"), with: "<clear/>", without: unset, ask: "/?do=env&name=APP_A", see: "body", want: "200 ", otherwise: "200 v"},
			{of: "recycleOnFileChange/file@path", in: file(`<file §/>`), with: "a.txt", without: "b.txt", ask: "/?do=pid", do: afterChange, want: "another process", otherwise: "the same process"},
			{of: "recycleOnFileChange#clear", in: file(`<file path="a.txt"/>§`), with: "<clear/>", without: unset, ask: "/?do=pid", do: afterChange, want: "the same process", otherwise: "another process"},
		}, more...),
	}
}

func nodeProofs() []proofs {
	in := func(attributes string) string {
		return `<iisnode nodeProcessCommandLine="&quot;` + self() + `&quot; ` + proofProgram + `" ` + attributes + `/>`
	}
	broken := `<iisnode nodeProcessCommandLine="` + self() + ` ` + proofProgram + ` fails" §/>`
	return []proofs{{
		section: "system.webServer/iisnode",
		beside:  `<handlers><add name="node" path="a.txt" verb="*" modules="iisnode"/></handlers>`,
		cases: []proof{
			{of: "@nodeProcessCommandLine", with: self() + " " + proofProgram, without: "./none", want: "200", otherwise: "502.5"},
			{of: "@nodeProcessCountPerApplication", in: in("§"), with: "2", without: unset, ask: "/a.txt?do=pid", do: processes, wait: true, want: "2", otherwise: "1"},
			{of: "@maxConcurrentRequestsPerProcess", in: in("§"), with: "1", without: "2", ask: "/a.txt?do=wait&file=", do: besideAnother, want: "503.0", otherwise: "200"},
			{of: "@gracefulShutdownTimeout", by: "features/httpplatform TestGracefulStop"},
			{of: "@watchedFiles", in: in("§"), with: "*.js;a.txt", without: "*.js", ask: "/a.txt?do=pid", do: afterChange, want: "another process", otherwise: "the same process"},
			{of: "@loggingEnabled", in: in("§"), with: "false", without: unset, do: outputLogs, want: "200 ", otherwise: "200 iisnode/a.txt"},
			{of: "@logDirectory", in: in("§"), with: `own\logs`, without: unset, do: outputLogs, want: "200 own/logs/a.txt", otherwise: "200 iisnode/a.txt"},
			{of: "@devErrorsEnabled", in: broken, with: "false", without: unset, see: "has exit code 3", want: "502.5 false", otherwise: "502.5 true"},
			{of: "@node_env", in: in("§"), with: "production", without: unset, ask: "/a.txt?do=env&name=NODE_ENV", see: "body", want: "200 production", otherwise: "200 "},
			{of: "@promoteServerVars", in: in("§"), with: "REQUEST_METHOD", without: unset, ask: "/a.txt?do=field&name=X-Iisnode-Request_method", see: "body", want: "200 GET", otherwise: "200 "},
			{of: "@drainTimeLimit", by: "features/httpplatform TestDrainDeadline"},
			{of: "@user", in: in("§"), with: "no-such-user", without: unset, want: "502.5", otherwise: "200"},
		},
	}}
}

// threeTimes tells how three requests in turn are answered.
func threeTimes(v *variant) string {
	var all []string
	for range 3 {
		all = append(all, v.request(v.p.ask).named())
	}
	return strings.Join(all, " ")
}

// outputLogs tells, after a request, in which file the program's output is, without time and number.
func outputLogs(v *variant) string {
	saw := v.request(v.p.ask).named() + " "
	root := filepath.Join(v.home, v.name)
	_ = filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".log") {
			p, _ = filepath.Rel(root, p)
			saw += strings.TrimRight(strings.TrimSuffix(filepath.ToSlash(p), ".log"), "_0123456789")
		}
		return err
	})
	return saw
}

// processes counts the processes that answer ten requests.
func processes(v *variant) string {
	var pids []string
	for range 10 {
		pids = append(pids, v.request(v.p.ask).body)
	}
	slices.Sort(pids)
	return strconv.Itoa(len(slices.Compact(pids)))
}

// afterChange tells whether another process answers when a.txt was written.
func afterChange(v *variant) string {
	before := v.request(v.p.ask).body
	write(v.t, filepath.Join(v.home, v.name, "a.txt"), "changed")
	patience := 10 * time.Second
	if v.want == "the same process" {
		patience = time.Second
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if v.request(v.p.ask).body != before {
			return "another process"
		}
	}
	return "the same process"
}

// besideAnother tells how a request is answered while another one is under way.
func besideAnother(v *variant) string {
	file := filepath.Join(v.t.TempDir(), "go")
	done := make(chan answer, 1)
	go func() { done <- v.request(v.p.ask + file) }()
	eventually(v.t, "a request is under way", func() bool {
		_, err := os.Stat(file + ".busy")
		return err == nil
	})
	saw := v.request("/a.txt").named()
	write(v.t, file, "")
	<-done
	return saw
}
