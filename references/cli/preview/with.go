package preview

import "github.com/seed-c5f95f19/vela/pkg/definition"

// With returns p with other definitions, made from those that it has. All else
// is shared. Once With was called, the results of it can be used side by side.
func (p *Preview) With(replace func(definition.Source) definition.Source) (*Preview, error) {
	if _, err := p.deliver(); err != nil {
		return nil, err
	}
	other := *p
	other.definitions = replace(p.definitions)
	return &other, nil
}
