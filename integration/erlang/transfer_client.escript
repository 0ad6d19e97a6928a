#!/usr/bin/env escript
%% -*- erlang -*-
%%! +S 2
%%
%% A gateway that moves minutes, on the Diameter stack of Erlang/OTP: profile A of docs/spec/transfer.md part 4, with AVPs of the IETF
%% alone. Over two connections it acts for many pairs of subscribers at once: quote, transfer, the same transfer again with the T bit
%% over the other connection, enquiry, and refusals. It prints a line for each pair: sender, seconds that it was told were moved,
%% seconds that it was told remain, the reference, and the first fault, or ok. The stack decodes strictly, by gy.dia.
%%
%%   escript transfer_client.escript gy.dia WORKDIR HOST PORT REALM STRANGER SENDER RECEIVER SENDER RECEIVER...
%%
%% STRANGER is a number that nobody has. Every sender has 100 minutes, every name is "KIM MINSU".

-module(transfer_client).
-mode(compile).
-include_lib("diameter/include/diameter.hrl").

-export([main/1]).
-export([peer_up/3, peer_down/3, pick_peer/5, prepare_request/4, prepare_retransmit/4, handle_answer/5, handle_error/5,
         handle_request/3]).

-define(HOST, "erlang.gw.test").
-define(REALM, "gw.test").

%% Requested-Action and operation (4.1).
-define(QUOTE, {3, "0"}).
-define(TRANSFER, {0, "1"}).
-define(ENQUIRE, {2, "8"}).

main([Dia, Dir, Host, Port, Realm, Stranger | Numbers]) ->
    load_dictionary(Dia, Dir),
    ok = diameter:start(),
    ok = diameter:start_service(minutes, [
        {'Origin-Host', ?HOST},
        {'Origin-Realm', ?REALM},
        {'Host-IP-Address', [{127, 0, 0, 1}]},
        {'Vendor-Id', 0},
        {'Product-Name', "Erlang/OTP diameter"},
        {'Origin-State-Id', 1},
        {'Auth-Application-Id', [4]},
        {decode_format, map},
        {restrict_connections, false}, % two to one peer
        {application, [{alias, gy}, {dictionary, gy}, {module, ?MODULE}, {answer_errors, callback}]}
    ]),
    true = diameter:subscribe(minutes),
    {ok, Address} = inet:parse_address(Host),
    Transports = [begin
        {ok, Transport} = diameter:add_transport(minutes, {connect, [
            {transport_module, diameter_tcp},
            {transport_config, [{raddr, Address}, {rport, list_to_integer(Port)}, {reuseaddr, true}]},
            {strict_capx, true},
            {disconnect_timeout, 5000}
        ]}),
        await_up(),
        Transport
    end || _ <- [first, second]],
    Self = self(),
    Pids = [spawn_link(fun() -> Self ! {self(), act(Pair, Stranger, Realm)} end) || Pair <- pairs(Numbers)],
    [receive {Pid, {Sender, Moved, Left, Reference, Result}} -> io:format("~s ~b ~b ~s ~s~n", [Sender, Moved, Left, Reference, Result]) end
     || Pid <- Pids],
    [begin ok = diameter:remove_transport(minutes, T), await_down() end || T <- Transports], % sends a DPR
    io:format("disconnect ok~n"),
    halt(0).

pairs([Sender, Receiver | Rest]) -> [{Sender, Receiver} | pairs(Rest)];
pairs([]) -> [].

load_dictionary(Dia, Dir) ->
    ok = diameter_make:codec(Dia, [{outdir, Dir}]),
    {ok, gy, Binary} = compile:file(filename:join(Dir, "gy"), [binary, return_errors, {i, Dir}]),
    {module, gy} = code:load_binary(gy, "gy.erl", Binary).

await_up() ->
    receive
        #diameter_event{info = Info} when element(1, Info) =:= up -> ok;
        #diameter_event{info = {closed, _, Reason, _}} -> die("connection refused: ~p", [Reason])
    after 20000 ->
        die("no connection within 20 s", [])
    end.

await_down() ->
    receive
        #diameter_event{info = Info} when element(1, Info) =:= down -> ok
    after 20000 ->
        die("no end of the connection within 20 s", [])
    end.

die(Format, Args) ->
    io:format(standard_error, Format ++ "~n", Args),
    halt(1).

%% What one pair does. Each step takes what is known so far and adds to it, or throws what is wrong.
act({Sender, Receiver}, Stranger, Realm) ->
    Seconds = 60 * (1 + rand:uniform(50)),
    To = "tel:+" ++ Receiver,
    Ask = fun(Operation, Parameters, Units) -> ccr(Realm, Sender, Operation, Parameters, Units) end,
    try
        %% Quote: the price, how long it stands, to whom; nothing moves.
        Quoted = success(call(Ask(?QUOTE, [{3, To}], Seconds), first, false)),
        none('Granted-Service-Unit', Quoted),
        free(Quoted),
        {_, true} = {Quoted, lists:member(hd(maps:get('Validity-Time', Quoted)), lists:seq(1, 300))},
        Quote = parameter(10, Quoted),
        "0" = parameter(8, Quoted),
        "KIM M***" = parameter(21, Quoted),

        %% Transfer, as quoted. Then the same message again, over the other connection, by a client that has lost the answer.
        Reference = "erlang/" ++ Sender,
        Transfer = Ask(?TRANSFER, [{3, To}, {4, Reference}, {10, Quote}, {14, "api"}, {15, "lunch"}], Seconds),
        Sent = success(call(Transfer, first, false)),
        {_, Seconds} = {Sent, granted(Sent)},
        free(Sent),
        "completed" = parameter(16, Sent),
        [0] = maps:get('Direct-Debiting-Failure-Handling', Sent),
        [1] = maps:get('CC-Session-Failover', Sent),
        Left = list_to_integer(lists:last(string:split(parameter(19, Sent), "/"))),
        {_, true} = {Sent, lists:prefix(integer_to_list(Seconds) ++ ";", parameter(20, Sent))},
        Number = parameter(5, Sent),
        same(Sent, success(call(Transfer, second, true))),
        same(Sent, success(call(Transfer, first, true))),

        %% Its reference stands for nothing else: not for another quantity, not for another receiver.
        refused(5004, "5127", true, call(Ask(?TRANSFER, [{3, To}, {4, Reference}], Seconds + 60), second, false)),
        refused(5004, "5127", true, call(Ask(?TRANSFER, [{3, "tel:" ++ Stranger}, {4, Reference}], Seconds), first, false)),

        %% Enquiry: what became of it, without effect.
        Found = success(call(Ask(?ENQUIRE, [{5, Number}], none), second, false)),
        none('Granted-Service-Unit', Found),
        {_, "completed"} = {Found, parameter(16, Found)},
        {_, Number} = {Found, parameter(5, Found)},

        %% Refusals, each with the Result-Code and the number of table 4.5, and a word for the person.
        Poor = Ask(?TRANSFER, [{3, To}, {4, Reference ++ "/poor"}], 30000),
        NotEnough = refused(4012, "4012", false, call(Poor, first, false)),
        same(NotEnough, refused(4012, "4012", false, call(Poor, second, true))),
        refused(5004, "5101", true, call(Ask(?TRANSFER, [{3, "tel:" ++ Stranger}], 60), first, false)),
        refused(5004, "5102", true, call(Ask(?TRANSFER, [{3, "tel:00" ++ Sender}], 60), first, false)),
        refused(5004, "5105", true, call(Ask(?TRANSFER, [{3, To}], 59), first, false)),
        refused(5004, "5128", true, call(ccr(Realm, Receiver, ?ENQUIRE, [{5, "ZZZZ-ZZZZ-Z"}], none), first, false),
                [5004]), % no such reference can be: the form is refused already
        {Sender, Seconds, Left, Number, "ok"}
    catch
        Class:Reason:Stack -> {Sender, 0, 0, "-", flat("~p ~p at ~p", [Class, Reason, hd(Stack)])}
    end.

success({ok, ['CCA' | #{'Result-Code' := 2001} = Answer]}) -> none(17, Answer), none('Failed-AVP', Answer), Answer;
success(Other) -> throw({not_a_success, Other}).

refused(Code, Number, Blames, Got) ->
    case Got of
        {ok, ['CCA' | #{'Result-Code' := Code} = Answer]} ->
            {_, Number} = {Answer, parameter(17, Answer)},
            {_, true} = {Answer, parameter(22, Answer) =/= ""},
            {_, Blames} = {Answer, maps:is_key('Failed-AVP', Answer)},
            none('Granted-Service-Unit', Answer),
            Answer;
        _ -> throw({wanted, Code, Got})
    end.

%% A refusal by form: the code alone.
refused(_, _, _, {ok, ['CCA' | #{'Result-Code' := Code, 'Failed-AVP' := [_]}]}, Codes) ->
    true = lists:member(Code, Codes);
refused(_, _, _, Got, Codes) -> throw({wanted, Codes, Got}).

%% The fee is zero minutes in no currency (4.4).
free(#{'Cost-Information' := [#{'Unit-Value' := #{'Value-Digits' := 0}, 'Currency-Code' := 999, 'Cost-Unit' := [_]}]}) -> ok;
free(Answer) -> throw({fee, Answer}).

granted(#{'Granted-Service-Unit' := [#{'CC-Time' := [Seconds]}]}) -> Seconds;
granted(_) -> none.

none(Parameter, Answer) when is_integer(Parameter) -> [] = values(Parameter, Answer);
none(Name, Answer) -> {Answer, false} = {Answer, maps:is_key(Name, Answer)}.

parameter(Type, Answer) ->
    case values(Type, Answer) of
        [Value] -> Value;
        Values -> throw({parameter, Type, Values, Answer})
    end.

values(Type, Answer) ->
    [unicode:characters_to_list(iolist_to_binary(V))
     || #{'Service-Parameter-Type' := T, 'Service-Parameter-Value' := V} <- maps:get('Service-Parameter-Info', Answer, []), T =:= Type].

same(Answer, Answer) -> ok;
same(First, Again) -> throw({first, First, again, Again}).

flat(Format, Args) ->
    re:replace(io_lib:format(Format, Args), "\\s+", " ", [global, {return, list}]).

call(Request, Connection, Again) ->
    Packet = #diameter_packet{header = #diameter_header{end_to_end_id = erlang:phash2(Request, 16#100000000),
                                                        is_retransmitted = Again}, msg = Request},
    diameter:call(minutes, gy, Packet, [{timeout, 20000}, {extra, [Connection]}]).

ccr(Realm, Number, {Action, Operation}, Parameters, Seconds) ->
    Units = case Seconds of
        none -> #{};
        _ -> #{'Requested-Service-Unit' => [#{'CC-Time' => [Seconds]}]}
    end,
    ['CCR' | Units#{
        'Session-Id' => diameter:session_id(?HOST),
        'Origin-Host' => ?HOST,
        'Origin-Realm' => ?REALM,
        'Destination-Realm' => Realm,
        'Auth-Application-Id' => 4,
        'Service-Context-Id' => "minute-transfer.v1@ocs.example",
        'CC-Request-Type' => 4,
        'CC-Request-Number' => 0,
        'Requested-Action' => [Action],
        'Event-Timestamp' => [calendar:universal_time()],
        'Subscription-Id' => [#{'Subscription-Id-Type' => 0, 'Subscription-Id-Data' => Number}],
        'Service-Parameter-Info' => [#{'Service-Parameter-Type' => Type, 'Service-Parameter-Value' => Value}
                                     || {Type, Value} <- [{1, Operation} | Parameters]]
    }].

%% The callbacks of the stack.

peer_up(_Service, _Peer, State) -> State.

peer_down(_Service, _Peer, State) -> State.

%% The two connections are told apart by the order of their references, which is the same every time.
pick_peer(Peers, _, _Service, _State, Connection) when length(Peers) =:= 2 ->
    [First, Second] = lists:sort(fun({A, _}, {B, _}) -> A =< B end, Peers),
    {ok, case Connection of first -> First; second -> Second end};
pick_peer(_, _, _Service, _State, _) -> false.

prepare_request(Packet, _Service, _Peer, _) -> {send, Packet}.

prepare_retransmit(Packet, _Service, _Peer, _) -> {send, Packet}.

handle_answer(#diameter_packet{msg = Message, errors = []}, _Request, _Service, _Peer, _) -> {ok, Message};
handle_answer(#diameter_packet{msg = Message, errors = Errors}, _Request, _Service, _Peer, _) -> {faulty, Errors, Message}.

handle_error(Reason, _Request, _Service, _Peer, _) -> {error, Reason}.

handle_request(_Packet, _Service, _Peer) -> {answer_message, 3001}.
