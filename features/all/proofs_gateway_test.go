package all_test

func gatewayProofs() []proofs {
	return []proofs{fastCGIProofs(), cgiProofs(), restrictionProofs()}
}

// fastCGIProofs ask the test program itself. Every side is a server, for the section is the server's.
func fastCGIProofs() proofs {
	handler := `<handlers><add name="F" path="a.txt" verb="*" modules="FastCgiModule" scriptProcessor="` + self() + `|` + proofFastCGI + `"/></handlers>`
	in := func(attributes, content string) string {
		return `<fastCgi><application ` + attributes + `>` + content + `</application></fastCgi>`
	}
	declared := `fullPath="` + self() + `" arguments="` + proofFastCGI + `" `
	// Whether an application is the one of the handler is seen by its environment.
	variable := func(s string) string { return `<environmentVariables>` + s + `</environmentVariables>` }
	coloured := variable(`<environmentVariable name="APP_A" value="v"/>`)
	const ask = "/a.txt?do=env&name=APP_A"
	const dir = "features/all "
	return proofs{section: "system.webServer/fastCgi", own: true, beside: handler, cases: []proof{
		{of: "application@fullPath", in: in(`§ arguments="`+proofFastCGI+`"`, coloured), with: self(), without: "/bin/other", ask: ask, see: "body", want: "200 v", otherwise: "200 "},
		{of: "application@arguments", in: in(`fullPath="`+self()+`" §`, coloured), with: proofFastCGI, without: "other", ask: ask, see: "body", want: "200 v", otherwise: "200 "},
		{of: "application@program", in: in(declared+"§", ""), with: "/no/such/program", without: unset, want: "500.0", otherwise: "200"},
		{of: "application@user", in: in(declared+"§", ""), with: "no-such-user", without: unset, want: "500.0", otherwise: "200"},
		{of: "application@stderrMode", by: "features/fastcgi TestStderrMode"},
		{of: "application@maxInstances", by: dir + "TestFastCGISecondInstance"},
		{of: "application@idleTimeout", by: "features/fastcgi TestIdleTimeout"},
		{of: "application@activityTimeout", by: "features/fastcgi TestRequestLimits"},
		{of: "application@requestTimeout", by: "features/fastcgi TestRequestLimits"},
		{of: "application@signalBeforeTerminateSeconds", by: "features/fastcgi TestGrace"},
		{of: "application@instanceMaxRequests", by: dir + "TestFastCGIInstanceMaxRequests"},
		{of: "application@queueLength", by: dir + "TestFastCGIQueue"},
		{of: "application@rapidFailsPerMinute", by: dir + "TestFastCGIRapidFails"},
		{of: "application@monitorChangesTo", by: dir + "TestFastCGIMonitorChangesTo"},
		{of: "application/environmentVariables/environmentVariable@name", in: in(declared, variable(`<environmentVariable § value="v"/>`)), with: "APP_A", without: "APP_B", ask: ask, see: "body", want: "200 v", otherwise: "200 "},
		{of: "application/environmentVariables/environmentVariable@value", in: in(declared, variable(`<environmentVariable name="APP_A" §/>`)), with: "1", without: "2", ask: ask, see: "body", want: "200 1", otherwise: "200 2"},
	}}
}

func cgiProofs() proofs {
	handler := `<handlers>
		<add name="C" path="a.txt" verb="*" modules="CgiModule" scriptProcessor="/bin/sh -c &quot;echo A: b; echo&quot;"/>
		<add name="S" path="b.txt" verb="*" modules="CgiModule" scriptProcessor="/bin/sh -c &quot;sleep 1.4; echo A: b; echo&quot;"/></handlers>`
	return proofs{section: "system.webServer/cgi", beside: handler, cases: []proof{
		{of: "@timeout", with: "00:00:01", without: unset, ask: "/b.txt", want: "502.1", otherwise: "200"},
		{of: "@user", with: "no-such-user", without: unset, want: "500.0", otherwise: "200"},
		{of: "@createProcessAsUser", in: `<cgi user="no-such-user" §/>`, with: "false", without: unset, want: "200", otherwise: "500.0"},
	}}
}

// restrictionProofs run a program that answers nothing, where it may be run: 502.2.
func restrictionProofs() proofs {
	in := func(content string) string { return `<isapiCgiRestriction>` + content + `</isapiCgiRestriction>` }
	const no = `<add path="/bin/true" allowed="false"/>`
	return proofs{
		section: "system.webServer/security/isapiCgiRestriction", own: true,
		beside: `<handlers><add name="T" path="a.txt" verb="*" modules="CgiModule" scriptProcessor="/bin/true"/></handlers>`,
		cases: []proof{
			{of: "@notListedCgisAllowed", with: "false", without: unset, want: "404.2", otherwise: "502.2"},
			{of: "add@path", in: in(`<add § allowed="false"/>`), with: "/bin/true", without: "/bin/false", want: "404.2", otherwise: "502.2"},
			{of: "add@allowed", in: in(`<add path="/bin/true" §/>`), with: "false", without: "true", want: "404.2", otherwise: "502.2"},
			{of: "#remove", in: in(no + "§"), with: `<remove path="/bin/true"/>`, without: unset, want: "502.2", otherwise: "404.2"},
			{of: "#clear", in: in(no + "§"), with: `<clear/>`, without: unset, want: "502.2", otherwise: "404.2"},
		},
	}
}
