package transfer

import (
	"strconv"
	"time"
)

var korean = words{
	messages: map[Message]string{
		Sent:              "{other}님께 {minutes} 보냄.{fee}{valid} 잔여 {left}. {ref}",
		Received:          "{other}님이 {minutes} 보냄.{fee}{valid} 잔여 {left}. {ref}",
		HeldForConsent:    "{other}님 수락 대기 {minutes}, {due}까지.{fee} {ref}",
		ConsentAsked:      "{other}님 {minutes} 전송.{fee} {due}까지 받으려면 YES {ref}",
		HeldForPayout:     "{other}에서 {minutes} 출금 대기, {due}까지.{fee} {ref}",
		GivenBack:         "{other} 앞 {minutes} 취소, 돌려받음. 잔여 {left}. {ref}",
		AskedFor:          "{other}님이 {minutes} 요청. {due}까지 주려면 답장: YES {ref}",
		NotGiven:          "{other}님이 요청한 {minutes}을 보내지 않음. {ref}",
		ClaimedFrom:       "{other}님이 {minutes} 반환 요청, {due}까지 동결. 반환하려면: YES {ref}",
		ClaimFiled:        "반환 신청 {ref}: {other} {minutes} 동결, {due}까지.",
		ClaimClosed:       "반환 신청 {ref}: {other} {minutes} 승인되지 않음.",
		ClaimClosedHolder: "반환 신청 {ref} 종료. {minutes} 동결 해제. 잔여 {left}.",
		GaveBack:          "{other}님께 {minutes} 돌려줌. 잔여 {left}. {ref}",
		GotBack:           "{other}님에게서 {minutes} 돌려받음. 잔여 {left}. {ref}",
		HeldForReview:     "{other} 앞 {minutes} 승인 대기, {due}까지.{fee} {ref}",
	},
	refusals: map[Refusal]string{
		None:                "완료되었습니다.",
		SenderUnknown:       "이 번호로는 이용할 수 없습니다. 고객센터에 문의하세요.",
		ReceiverUnknown:     "받을 수 없는 번호입니다. 번호를 확인하세요.",
		SameParty:           "본인 번호입니다. 다른 번호를 입력하세요.",
		NotEnough:           "부족합니다. 보유 {total}, 보낼 수 있는 양 {movable}.",
		NotTransferable:     "{total} 중 {movable} 전송 가능. {inuse} 사용 중, 나머지는 전송 불가.",
		MinimumRemaining:    "최소 잔여량이 필요합니다. {movable}보다 적게 보내세요.",
		BelowMinimum:        "너무 적습니다. 더 많은 분을 입력하세요.",
		AboveMaximum:        "한 번에 보내기에 너무 많습니다. 더 적게 입력하세요.",
		WrongStep:           "보낼 수 없는 단위입니다. 다른 수량을 입력하세요.",
		DayCountLimit:       "오늘 전송 횟수를 초과했습니다.{again}",
		DaySecondsLimit:     "하루 전송 한도를 초과합니다.{again}",
		MonthCountLimit:     "기간 전송 횟수를 초과했습니다.{again}",
		MonthSecondsLimit:   "기간 전송 한도를 초과합니다.{again}",
		PairLimit:           "이 번호로 보낼 수 있는 한도를 넘었습니다.{again}",
		ReceiverLimit:       "상대방의 수신 한도를 넘었습니다.{again}",
		ReceiverFull:        "상대방이 그만큼 받을 수 없습니다. 더 적게 입력하세요.",
		SenderNotEligible:   "아직 보낼 수 없습니다. 고객센터에 문의하세요.{again}",
		ReceiverNotEligible: "받을 수 없는 번호입니다. 번호를 확인하세요.",
		KindNotAllowed:      "이 전송은 할 수 없습니다. 고객센터에 문의하세요.",
		SenderFrozen:        "전송이 정지된 계정입니다. 고객센터에 전화하세요.{again}",
		ReceiverFrozen:      "받을 수 없는 번호입니다. 번호를 확인하세요.",
		ReceiverDeclines:    "받을 수 없는 번호입니다. 번호를 확인하세요.",
		WrongPIN:            "PIN이 틀렸습니다. {tries}회 남음.",
		PINNeeded:           "PIN을 입력하세요.",
		PINLocked:           "PIN이 잠겼습니다. 고객센터에서 재설정하세요.{again}",
		PINMustChange:       "먼저 메뉴의 PIN에서 새 PIN을 정하세요.",
		CoolingOff:          "최근 SIM, 단말 또는 PIN 변경으로 전송이 잠시 제한됩니다.{again}",
		RiskRefused:         "안전을 위해 전송을 중지했습니다. 고객센터에 전화하세요.",
		QuoteExpired:        "표시된 요금이 만료되었습니다. 다시 시작하세요.",
		FeeTooHigh:          "수수료가 동의한 금액보다 높습니다. 다시 시작하세요.",
		NoFeeRule:           "지금은 전송할 수 없습니다. 고객센터에 문의하세요.",
		ReferenceReused:     "다른 요청에 쓰인 참조번호입니다. 새 번호를 쓰세요.",
		OriginalUnknown:     "해당 전송 내역이 없습니다. 참조번호를 확인하세요.",
		AlreadyDone:         "이미 처리되었습니다.",
		WindowClosed:        "기한이 지났습니다. 고객센터에 문의하세요.",
		NotReversible:       "되돌릴 수 없는 전송입니다. 상대방에게 요청하세요.",
		AlreadySpent:        "이미 사용되었습니다. 남은 양 {minutes}.",
		Stopped:             "전송 서비스가 잠시 중단되었습니다. 잔여량은 안전하며 통화 가능합니다.",
		RepeatSuspected:     "방금 같은 전송을 했습니다. 한 번 더 보낼까요?",
		NotConfirmed:        "먼저 확인해 주세요.",
		WrongCode:           "코드가 틀렸습니다. {tries}회 남음.",
		Malformed:           "읽을 수 없는 입력입니다. 확인 후 다시 시도하세요.",
		Incomplete:          "빠진 항목이 있습니다. 확인 후 다시 시도하세요.",
	},
	clauses: map[string]string{
		"minutes": "{}분", "seconds": "{}초", "fee": " 수수료 {}.", "valid": " 유효 {}까지.",
		"again": " {} 후 다시 시도하세요.", "somebody": "가입자",
	},
	date: func(t time.Time, year bool) string {
		if year {
			return t.Format("06.1.2")
		}
		return t.Format("1.2")
	},
	wait: func(d time.Duration) string {
		n, unit := waiting(d)
		return strconv.FormatInt(n, 10) + [...]string{"분", "시간", "일"}[unit]
	},
	sms:     SMSChars,
	measure: Chars,
}
