package ussd

var korean = words{
	"menu":     "1 보내기\n2 매장 결제\n3 요청하기\n4 잔여량\n5 최근 5건\n6 출금\n7 반환·응답\n8 PIN·차단",
	"claims":   "1 보낸 것 반환 신청\n2 요청·반환에 응답\n0 이전",
	"settings": "1 PIN 변경\n2 번호 차단\n3 차단 해제\n0 이전",

	"number":    "받는 번호?\n0 이전",
	"shop":      "매장 코드?\n0 이전",
	"trader":    "출금점 코드?\n0 이전",
	"block":     "차단할 번호?\n0 이전",
	"unblock":   "차단 해제할 번호?\n0 이전",
	"minutes":   "몇 분?",
	"bill":      "청구 번호? 없으면 00",
	"reference": "요청의 참조번호?\n0 이전",
	"new PIN":   "이전PIN*새PIN*새PIN 형식으로 입력:",
	"PIN":       "PIN:",
	"yes or no": "1 예 2 아니요",
	"answer":    "보낼까요?\n1 예\n2 아니요\n0 이전",

	"may":     "{total}분 중 {may}분 전송 가능",
	"in use":  ", {}분 사용 중",
	"kept":    ", {class} {}분",
	"balance": "잔여 {left}.",
	"consent": "{name}님께 {minutes}.{fee} 잔여 {left}.{valid} PIN:",
	"fee":     " 수수료 {}.",
	"valid":   " 유효 {}까지.",
	"asking":  "{name}님께 {minutes} 요청?\n1 예\n2 아니요",

	"claiming": "{ref} 반환 신청? 남은 양은 결정까지 동결됩니다. PIN:",

	"sent":     "보냈습니다. {ref}. 잔여 {left}.",
	"waits":    "{due}까지 수락 대기. {ref}. 잔여 {left}.",
	"cash":     "코드 {code}. 출금점에만 보여주세요. {minutes}, {due}까지. {ref}",
	"asked":    "요청했습니다. {ref}.",
	"claimed":  "{minutes} 동결, {due}까지 결정. {ref}.",
	"accepted": "완료. {ref}. 잔여 {left}.",
	"declined": "거절했습니다. {ref}.",

	"blocked":          "차단했습니다. 이 번호는 보내거나 요청할 수 없습니다.",
	"unblocked":        "차단을 해제했습니다.",
	"PIN changed":      "PIN을 변경했습니다. 전송은 잠시 제한될 수 있습니다.",
	"nothing sent":     "보내지 않았습니다.",
	"nothing to claim": "최근 전송 중 반환 신청할 것이 없습니다.",
	"no transfers":     "전송 내역이 없습니다.",

	"choose":         "다음 중에서 선택하세요:",
	"no number":      "읽을 수 없는 번호입니다.",
	"whole minutes":  "분 단위 정수만 입력하세요.",
	"bill too long":  "64자 이내로 입력하세요.",
	"no reference":   "참조번호가 잘못되었습니다.",
	"PINs differ":    "예: 111222*333444*333444",
	"weak PIN":       "너무 쉬운 PIN입니다.",
	"dial":           "{service}*분*번호# 형식으로 거세요. 메뉴는 {service}#. 보내지 않았습니다.",
	"no PIN in dial": "PIN은 함께 걸지 마세요. {service}*분*번호# 후 입력하세요.",
	"try again":      "다시 거세요. PIN을 입력했다면 최근 5건을 먼저 확인하세요.",

	"class bonus": "보너스", "class borrowed": "빌린 것", "class plan": "요금제", "class float": "판매용",
}
