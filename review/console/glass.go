package console

import (
	"net/http"

	"github.com/docket-triage/docket/casefile"
	"github.com/docket-triage/docket/review"
)

// glassPage lists what was broken.
type glassPage struct {
	Rows []review.GlassView
	All  bool // also what was reviewed
	Me   casefile.Person
}

const pageOfGlass = 200

// brokenGlass lists what was broken, with the reasons: what nobody has reviewed yet, or all of it.
func (v *visit) brokenGlass() error {
	p := glassPage{All: v.r.URL.Query().Get("all") != "", Me: v.who.Person}
	page, err := v.desk().BrokenGlass(v.ctx(), v.who, !p.All, pageOfGlass)
	if err != nil {
		return err
	}
	v.learn(page.Names)
	p.Rows = page.Glass
	return v.render(http.StatusOK, "glass", "Broken glass", p)
}

// reviewGlass says, once, whether the glass was broken with good reason.
func (v *visit) reviewGlass() error {
	said := word(v.r.PostForm, "justified")
	if said != "yes" && said != "no" {
		return casefile.Invalid("justified", "say whether it was justified: yes or no")
	}
	err := v.desk().ReviewGlass(v.ctx(), v.who, v.r.PathValue("glass"), said == "yes")
	if err != nil {
		return err
	}
	v.putFlash(Flash{Kind: flashGlassReviewed})
	return v.redirect("/glass")
}
