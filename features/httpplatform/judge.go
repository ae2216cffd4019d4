package httpplatform

import (
	"fmt"
	"path"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
)

// judgePlatform says what becomes of the program that <httpPlatform> or <aspNetCore> names.
func judgePlatform(attribute func(string) string) config.Judgement {
	return judgeProgram(attribute("processPath"), attribute("arguments"))
}

// judgeNode says what becomes of a command line of <iisnode>. The default, node.exe, needs no words.
func judgeNode(attribute func(string) string) config.Judgement {
	line := attribute("nodeProcessCommandLine")
	words := splitArguments(line)
	if len(words) == 0 || line == nodeDefault {
		return config.Judgement{}
	}
	return judgeProgram(words[0], strings.Join(words[1:], " "))
}

// judgeProgram does not look whether the program is there: a report may be made where the site is not to run.
func judgeProgram(written, arguments string) config.Judgement {
	p := strings.Trim(strings.TrimSpace(slashes(written)), `"`)
	name := path.Base(p)
	stem, exe := gateway.CutExe(name)
	here := gateway.Counterparts(stem)[0]
	elsewhere := gateway.AbsWindows(p) || strings.Contains(p, "%")
	var notes []string
	switch {
	case strings.Contains(p, launcher):
		return config.Judgement{Unsupported: noLauncher(written)}
	case strings.EqualFold(stem, "cmd"):
		return config.Judgement{Unsupported: fmt.Sprintf("%s is the shell of Windows, which is not here; name the program itself, or a script of this system", written)}
	case elsewhere:
		notes = append(notes, fmt.Sprintf("%s is a path of Windows: %s in the folder of the application runs in its place, or %s found in PATH", written, stem, here))
	case exe && p != name:
		notes = append(notes, fmt.Sprintf("%s is a program of Windows: %s beside it runs in its place, or %s.dll by dotnet, or %s found in PATH", written, stem, stem, here))
	case here != name:
		notes = append(notes, fmt.Sprintf("%s: the program %s found in PATH runs in its place, unless the application has one", written, here))
	}
	for _, a := range splitArguments(arguments) {
		if gateway.AbsWindows(a) || strings.HasPrefix(a, "%") && strings.Contains(a, `\`) {
			notes = append(notes, fmt.Sprintf("the argument %s is a path of Windows: it stands for what the application has at the end of that path", a))
		}
	}
	return config.Judgement{Note: strings.Join(notes, "; ")}
}

// launcher stands in the web.config of a project for what publishing it fills in.
const launcher = "%LAUNCHER_PATH%"

func noLauncher(written string) string {
	return fmt.Sprintf(`processPath="%s" is a template that "dotnet publish" fills in: deploy the published folder, not the project's`, written)
}
