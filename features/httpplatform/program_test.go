package httpplatform

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSplitArguments(t *testing.T) {
	for in, want := range map[string][]string{
		"":                              nil,
		"  a\t b\r\n c ":                {"a", "b", "c"},
		`"a b" c`:                       {"a b", "c"},
		`-x="a b"c`:                     {"-x=a bc"},
		`""`:                            {""},
		`''`:                            {""},
		`a \"b c\"`:                     {"a", `"b`, `c"`},
		`"say \"hi\""`:                  {`say "hi"`},
		`'{"a": "b c"}' d`:              {`{"a": "b c"}`, "d"},
		`it's here`:                     {"it's", "here"},
		`C:\a\b.jar -D"x y"`:            {`C:\a\b.jar`, "-Dx y"},
		`"open to the end`:              {"open to the end"},
		`-jar "%HOME%\site\app.jar" -q`: {"-jar", `%HOME%\site\app.jar`, "-q"},
	} {
		if got := splitArguments(in); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

// FuzzSplitArguments holds that nothing is invented: all that comes out stood in the line.
func FuzzSplitArguments(f *testing.F) {
	f.Add(`"a b" 'c' \" d`)
	f.Fuzz(func(t *testing.T, line string) {
		n := 0
		for _, a := range splitArguments(line) {
			n += len(a)
		}
		if n > len(line) {
			t.Fatalf("%q: %d bytes", line, n)
		}
	})
}

// site is a folder with files: "!" before a name makes it executable, "MZ" is the beginning of a program of Windows.
func site(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range files {
		mode, content := os.FileMode(0o644), "#!/bin/sh\n"
		if rest, ok := strings.CutPrefix(name, "!"); ok {
			name, mode = rest, 0o755
		}
		if rest, ok := strings.CutPrefix(name, "MZ"); ok {
			name, content = rest, "MZ\x90\x00"
		}
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestResolveProgram(t *testing.T) {
	folder := site(t, "!server", "!bin/App", "!MZbin/App.exe", "!MZWin.exe", "MZPlain.exe", "Net.dll", "!MZNet.exe", "script.sh", "node/x.js", "python", "!Came")
	path := site(t, "!node", "!python3", "!dotnet", "!java")
	t.Setenv("PATH", path)
	in := func(dir, name string) string { return filepath.Join(dir, name) }
	for written, want := range map[string]struct{ path, args, fault string }{
		"node":                               {path: in(path, "node")}, // the folder node is none
		"node.exe":                           {path: in(path, "node")},
		`C:\Program Files\nodejs\node.exe`:   {path: in(path, "node")},
		`"C:\Program Files\nodejs\node.exe"`: {path: in(path, "node")},
		`%ProgramFiles%\nodejs\NODE.EXE`:     {path: in(path, "node")},
		`\\server\share\node.exe`:            {path: in(path, "node")},
		`D:\home\Python\python.exe`:          {path: in(path, "python3")},
		"python":                             {path: in(path, "python3")}, // the file is not executable
		`%JAVA_HOME%\bin\javaw.exe`:          {path: in(path, "java")},
		"server":                             {path: in(folder, "server")},
		"./server":                           {path: in(folder, "server")},
		`.\server`:                           {path: in(folder, "server")},
		`.\server.exe`:                       {path: in(folder, "server")},
		in(folder, "server"):                 {path: in(folder, "server")},
		`bin\App.exe`:                        {path: in(folder, "bin/App")}, // beside one of Windows that is executable
		`C:\inetpub\wwwroot\Came.exe`:        {path: in(folder, "Came")},
		`.\Net.exe`:                          {path: in(path, "dotnet"), args: in(folder, "Net.dll")},
		`%HOME%\site\wwwroot\Net.exe`:        {path: in(path, "dotnet"), args: in(folder, "Net.dll")},
		`.\Net.dll`:                          {path: in(path, "dotnet"), args: in(folder, "Net.dll")},
		`.\Win.exe`:                          {fault: "is a program of Windows: publish the application for Linux"},
		`.\Plain.exe`:                        {fault: "is a program of Windows"},
		"./script.sh":                        {fault: "make it executable (chmod +x)"},
		"./none":                             {fault: "there is no program"},
		in(folder, "none"):                   {fault: "there is no program"},
		"cmd.exe":                            {fault: "the shell of Windows"},
		"ruby":                               {fault: "install it"},
		" ":                                  {fault: "no program is named"},
		"%LAUNCHER_PATH%":                    {fault: "is a template that \"dotnet publish\" fills in"},
	} {
		s := settings{section: platformPath, program: written, folder: folder}
		c, err := s.resolve(1)
		switch {
		case want.fault != "":
			if err == nil || !strings.Contains(err.Error(), want.fault) {
				t.Errorf("%s: %q, %v; want %q", written, c.path, err, want.fault)
			}
		case err != nil:
			t.Errorf("%s: %v", written, err)
		case c.path != want.path || strings.Join(c.args, " ") != want.args:
			t.Errorf("%s: %q %q, want %q %q", written, c.path, c.args, want.path, want.args)
		case strings.Contains(written, `C:\`) && !strings.Contains(c.note, c.path):
			t.Errorf("%s: the note is %q", written, c.note)
		}
	}
	t.Setenv("PATH", folder)
	s := settings{section: platformPath, program: `.\Net.exe`, folder: folder}
	if _, err := s.resolve(1); err == nil || !strings.Contains(err.Error(), "install the .NET runtime") {
		t.Errorf("without dotnet: %v", err)
	}
}

func TestResolveArguments(t *testing.T) {
	folder := site(t, "app.jar", "bin/lib.jar", "server.js")
	path := site(t, "!node")
	t.Setenv("PATH", path)
	in := func(name string) string { return filepath.Join(folder, name) }
	for written, want := range map[string][]string{
		"--port %HTTP_PLATFORM_PORT% -p=%PORT% %ASPNETCORE_PORT%x": {"--port", "4711", "-p=4711", "4711x"},
		`-jar "%HOME%\site\wwwroot\app.jar"`:                       {"-jar", in("app.jar")},
		`-jar %HOME%\site\wwwroot\bin\lib.jar`:                     {"-jar", in("bin/lib.jar")},
		`C:\site\bin\lib.jar`:                                      {in("bin/lib.jar")},
		`.\server.js bin\lib.jar`:                                  {in("server.js"), in("bin/lib.jar")},
		`src\server.js`:                                            {`src\server.js`}, // another file than server.js
		`--match=\d+\w \ C:\`:                                      {`--match=\d+\w`, `\`, `C:\`},
		"server.js /app.jar":                                       {"server.js", "/app.jar"},
	} {
		s := settings{section: platformPath, program: "node", arguments: written, folder: folder}
		c, err := s.resolve(4711)
		if err != nil || !slices.Equal(c.args, want) {
			t.Errorf("%s: %q, %v; want %q", written, c.args, err, want)
		}
	}
	s := settings{section: nodePath, program: `"C:\Program Files\nodejs\node.exe" --inspect`, script: "api/server.js", folder: folder}
	c, err := s.resolve(1)
	if err != nil || c.path != filepath.Join(path, "node") || !slices.Equal(c.args, []string{"--inspect", in("api/server.js")}) {
		t.Errorf("iisnode: %v, %v", c, err)
	}
	s.program = "  "
	if _, err := s.resolve(1); err == nil {
		t.Error("an empty command line is taken")
	}
}

func TestJudge(t *testing.T) {
	for _, c := range []struct{ program, arguments, note, unsupported string }{
		{"node", "server.js", "", ""},
		{"./server", `.\a`, "", ""},
		{"%LAUNCHER_PATH%", "", "", "template"},
		{"cmd.exe", "/c x", "", "shell of Windows"},
		{`C:\Python\python.exe`, "", "python3 found in PATH", ""},
		{`.\App.exe`, "", "App.dll by dotnet", ""},
		{"python", "", "python3", ""},
		{"java", `-jar "%HOME%\site\wwwroot\app.jar"`, "stands for what the application has at the end", ""},
	} {
		j := judgeProgram(c.program, c.arguments)
		if (j.Note == "") != (c.note == "") || !strings.Contains(j.Note, c.note) || (j.Unsupported == "") != (c.unsupported == "") || !strings.Contains(j.Unsupported, c.unsupported) {
			t.Errorf("%s: %+v", c.program, j)
		}
	}
	for line, noted := range map[string]bool{nodeDefault: false, "node --inspect": false, `"C:\node\node.exe" --x`: true} {
		if j := judgeNode(func(string) string { return line }); (j.Note != "") != noted {
			t.Errorf("%s: %+v", line, j)
		}
	}
}
