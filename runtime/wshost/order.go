package wshost

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// pipelineOrder sorts modules by stage, then so that every module comes after those its After names, then by name. The
// result depends on the set of modules alone, never on the order in which they were given.
func pipelineOrder(infos []module.Info) ([]module.Info, error) {
	var out []module.Info
	for _, stage := range module.Stages() {
		var in []module.Info
		for _, i := range infos {
			if i.Stage == stage {
				in = append(in, i)
			}
		}
		sorted, err := stageOrder(in)
		if err != nil {
			return nil, fmt.Errorf("order stage %q: %w", stage, err)
		}
		out = append(out, sorted...)
	}
	if len(out) != len(infos) {
		for _, i := range infos {
			if !slices.Contains(module.Stages(), i.Stage) {
				return nil, fmt.Errorf("module %q has the unknown stage %q", i.Name, i.Stage)
			}
		}
	}
	return out, nil
}

// stageOrder takes, again and again, the first module by name of which nothing that it must follow is left.
func stageOrder(left []module.Info) ([]module.Info, error) {
	left = slices.Clone(left)
	slices.SortFunc(left, func(a, b module.Info) int { return strings.Compare(a.Name, b.Name) })
	var out []module.Info
	for len(left) > 0 {
		i := slices.IndexFunc(left, func(c module.Info) bool {
			return !slices.ContainsFunc(left, func(o module.Info) bool { return slices.Contains(c.After, o.Name) })
		})
		if i < 0 {
			var names []string
			for _, c := range left {
				names = append(names, c.Name)
			}
			return nil, fmt.Errorf("modules wait for one another: %s", strings.Join(names, ", "))
		}
		out = append(out, left[i])
		left = slices.Delete(left, i, i+1)
	}
	return out, nil
}
