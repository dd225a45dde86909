package casefile

// NoticeState is whether the person concerned was told.
type NoticeState string

// The states of a notice.
const (
	NoticePlanned     NoticeState = "planned"
	NoticeSent        NoticeState = "sent"
	NoticeUndelivered NoticeState = "undelivered" // the platform has no way to tell them, or refused
	NoticeUncertain   NoticeState = "uncertain"   // whether they were told could not be established
)

// Notice is what the person concerned is told (Regulation (EU) 2022/2065, Article 17). Its text is
// sealed; Number is random and printed on it with the case's reference.
type Notice struct {
	Number   string  `json:"number"`
	Decision string  `json:"decision"`
	Case     CaseRef `json:"case"`
	Lang     string  `json:"lang"`
	Text     string  `json:"text"`
}

// NoticeRef names a sealed notice: its number, the address of the sealed Notice and the keyed
// digest of its bytes.
type NoticeRef struct {
	Number string  `json:"number"`
	Text   Address `json:"text"`
	Digest string  `json:"digest"`
}
