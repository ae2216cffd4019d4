package urlrewrite

import (
	"fmt"
	"strings"
)

// maxBody is the longest body that outbound rules are applied to, in bytes: it is held in memory, before and after.
const maxBody = 4 << 20

var errBody = fmt.Errorf("the body becomes longer than %d bytes", maxBody)

// changeBody applies the rules on the body in two passes: those on the attributes of tags, then those on the whole.
func (o *outWalker) changeBody(body string, rules []*outRule, isHTML bool) (string, error) {
	used := map[*outRule]int{}
	var tagged []*outRule
	for _, r := range rules {
		if r.tags != nil {
			tagged = append(tagged, r)
		}
	}
	if len(tagged) > 0 && isHTML {
		var err error
		body, err = rewriteTags(body, func(tag, attribute, value string) (string, error) {
			return o.changeAttribute(tagged, used, tag, attribute, value)
		})
		if err != nil {
			return "", err
		}
	}
	for _, r := range rules {
		if r.tags != nil || !r.rewrites {
			continue
		}
		changed, applied, err := o.changeWhole(r, body)
		if err != nil {
			return "", err
		}
		if body = changed; applied && r.stop {
			break
		}
	}
	return body, nil
}

// changeAttribute takes the value of an attribute through the rules.
func (o *outWalker) changeAttribute(rules []*outRule, used map[*outRule]int, tag, attribute, value string) (string, error) {
	for _, r := range rules {
		if !r.tags.has(tag, attribute) || r.most > 0 && used[r] >= r.most {
			continue
		}
		changed, applied, err := o.replaced(r, value)
		if err != nil {
			return "", err
		}
		if !applied {
			continue
		}
		used[r]++
		if value = changed; r.stop {
			break
		}
	}
	return value, nil
}

// changeWhole replaces the matches of a rule in the whole body.
func (o *outWalker) changeWhole(r *outRule, body string) (string, bool, error) {
	most := -1
	if r.most > 0 {
		most = r.most
	}
	var b strings.Builder
	last, any := 0, false
	err := r.pattern.search.all(body, most, &o.budget, func(at []int) error {
		groups := groupsAt(body, at)
		value, applied, err := o.carryOut(r, groups[0], groups)
		if err != nil {
			return err
		}
		any = any || applied
		b.WriteString(body[last:at[0]])
		b.WriteString(value)
		if last = at[1]; b.Len() > maxBody {
			return errBody
		}
		return nil
	})
	if err != nil {
		return "", false, err
	}
	b.WriteString(body[last:])
	return b.String(), any, nil
}
