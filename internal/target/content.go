package target

import (
	"fmt"

	"github.com/rolemgr/rolemgr/internal/plan"
)

// content returns what gives apply the bytes of a put-file step: the catalogue has those of this version, the store
// those of earlier installations, which a rollback may need.
func (l *Local) content() (func(sha256 string) ([]byte, error), error) {
	own, err := plan.Content(l.o.Catalog)
	if err != nil {
		return nil, fmt.Errorf("read the files of the catalogue: %w", err)
	}
	return func(sha256 string) ([]byte, error) {
		if b, ok := own[sha256]; ok {
			return b, nil
		}
		return l.store.Blob(sha256)
	}, nil
}
