package wshost

import (
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// Schema returns the schema under which a host reads its configuration when it has loaded some of the available
// modules: the sections of the others are known as those of a feature that is missing. known is as in Options.
func Schema(loaded, available []module.Info, known []config.Known) (*config.Schema, error) {
	return config.NewSchema(schemaSections(loaded), knownSections(available, loaded, known, false))
}
