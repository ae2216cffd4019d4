package httpplatform

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

func processors() int { return runtime.GOMAXPROCS(0) }

// command is a program with its arguments as they are started.
type command struct {
	path string
	args []string
	note string // what was understood otherwise than written; "" for nothing
}

// resolve finds the program that the settings name and puts the port into the arguments. Files written for Windows name
// programs as they are there: what that means here is said in note.
func (s *settings) resolve(port int) (command, error) {
	program, args := s.program, splitArguments(s.arguments)
	if s.section == nodePath {
		words := splitArguments(s.program)
		if len(words) == 0 {
			return command{}, fmt.Errorf("nodeProcessCommandLine is empty")
		}
		program, args = words[0], append(words[1:], filepath.Join(s.folder, filepath.FromSlash(s.script)))
	}
	if strings.Contains(program, "%LAUNCHER_PATH%") {
		return command{}, fmt.Errorf(`processPath="%s" is a template that "dotnet publish" fills in: deploy the published folder, not the project's`, program)
	}
	c, err := s.find(program)
	if err != nil {
		return command{}, err
	}
	for _, a := range args {
		c.args = append(c.args, s.argument(a, port, &c.note))
	}
	return c, nil
}

// find finds a program: where it is said to be, else, for one of Windows, under its name without .exe.
func (s *settings) find(written string) (command, error) {
	p := strings.TrimSpace(slashes(written))
	p = strings.Trim(p, `"`)
	if p == "" {
		return command{}, fmt.Errorf("no program is named")
	}
	bare := !strings.Contains(p, "/")
	name := path.Base(p)
	var tried []string
	if !windowsPath(p) && !strings.Contains(p, "%") {
		full := p
		if !path.IsAbs(full) {
			full = path.Join(s.folder, p)
		}
		if runnable(full) {
			return command{path: full}, nil
		}
		tried = append(tried, full)
		stem, exe := cutExe(full)
		if exe && runnable(stem) {
			return command{path: stem, note: fmt.Sprintf("%q stands for %q", written, stem)}, nil
		}
		if dll := stem + ".dll"; exists(dll) { // published for any system: dotnet runs it
			if dotnet, err := exec.LookPath("dotnet"); err == nil {
				return command{path: dotnet, args: []string{dll}, note: fmt.Sprintf("%q stands for dotnet %q", written, dll)}, nil
			}
			return command{}, fmt.Errorf("%q is an application of .NET (%s), but there is no program dotnet: install the .NET runtime", written, dll)
		}
		if exists(full) {
			if exe {
				return command{}, fmt.Errorf("%q is a program of Windows: publish the application for Linux (dotnet publish -r linux-x64)", full)
			}
			return command{}, fmt.Errorf("%q cannot be run: make it executable (chmod +x)", full)
		}
	}
	stem, _ := cutExe(name)
	for _, candidate := range alternatives(stem) {
		found, err := exec.LookPath(candidate)
		if err != nil {
			tried = append(tried, candidate+" on the PATH")
			continue
		}
		c := command{path: found}
		if !bare || candidate != name {
			c.note = fmt.Sprintf("%q stands for %q", written, found)
		}
		return c, nil
	}
	return command{}, fmt.Errorf("there is no program %q (looked for %s): %s", written, strings.Join(tried, ", "), advice(stem))
}

// alternatives are the names under which a program of Windows may be found here.
func alternatives(stem string) []string {
	switch strings.ToLower(stem) {
	case "python", "py", "pythonw":
		return []string{"python3", "python"}
	case "javaw":
		return []string{"java"}
	case "node", "java", "dotnet", "php", "ruby", "perl", "bash", "cmd", "powershell":
		return []string{strings.ToLower(stem)}
	}
	return []string{stem}
}

// advice is the next step when a program is missing.
func advice(stem string) string {
	switch strings.ToLower(stem) {
	case "python", "py", "pythonw", "java", "javaw", "node", "dotnet", "php", "ruby":
		return "install it, or write its path as processPath"
	case "cmd", "powershell":
		return "it is the shell of Windows; start the application itself, or a script of this system"
	}
	return "write the path of the program, from the root of the application or from /, as processPath"
}

func cutExe(p string) (stem string, ok bool) {
	if n := len(p) - len(".exe"); n > 0 && strings.EqualFold(p[n:], ".exe") {
		return p[:n], true
	}
	return p, false
}

func exists(p string) bool {
	_, err := os.Stat(p)
	return err == nil
}

func runnable(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// argument puts the port in, and makes a path of Windows one of this system where that names a file of the application.
func (s *settings) argument(a string, port int, note *string) string {
	for _, name := range []string{"HTTP_PLATFORM_PORT", "ASPNETCORE_PORT", "PORT"} {
		a = strings.ReplaceAll(a, "%"+name+"%", strconv.Itoa(port))
	}
	if !strings.Contains(a, `\`) {
		return a
	}
	p := slashes(a)
	candidates := []string{path.Base(p)} // below a folder of Windows such as %HOME%\site\wwwroot
	if !windowsPath(p) && !path.IsAbs(p) && !strings.HasPrefix(p, "%") {
		candidates = []string{p, path.Base(p)}
	}
	for _, c := range candidates {
		if full := path.Join(s.folder, c); exists(full) {
			if *note != "" {
				*note += ", "
			}
			*note += fmt.Sprintf("%q stands for %q", a, full)
			return full
		}
	}
	return a
}

// splitArguments splits a command line as programs of Windows do: at white space, with double quotes around what holds some
// and \" for a quote. Single quotes around a whole argument do as well, for lines written by people of this system.
func splitArguments(line string) []string {
	var out []string
	var b strings.Builder
	var quote byte
	open := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && i+1 < len(line) && line[i+1] == '"' && quote != '\'':
			b.WriteByte('"')
			i, open = i+1, true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\'' && !open):
			quote, open = c, true
		case quote == 0 && (c == ' ' || c == '\t' || c == '\r' || c == '\n'):
			if open {
				out = append(out, b.String())
				b.Reset()
				open = false
			}
		default:
			b.WriteByte(c)
			open = true
		}
	}
	if open {
		out = append(out, b.String())
	}
	return out
}
