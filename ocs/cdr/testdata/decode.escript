#!/usr/bin/env escript
%% decode.escript MODULE.asn1 OUTDIR FILE: compiles the module with asn1ct and prints every record of a CDR file (TS 32.297).
%% It knows nothing of the program that wrote the file.
main([Module, Out, File]) ->
    ok = asn1ct:compile(Module, [ber, {outdir, Out}, noobj]),
    {ok, Compiled, Code} = compile:file(filename:join(Out, "GyroChargingRecords"), [binary, {i, Out}]),
    {module, _} = code:load_binary(Compiled, "GyroChargingRecords.erl", Code),
    {ok, Data} = file:read_file(File),
    <<Length:32, HeaderLength:32, High:3, _:5, Low:3, _:5, Opened:4/binary, Closed:4/binary, Count:32, Number:32, Reason:8,
      _Address:20/binary, Lost:8, FilterLength:16, _Filter:FilterLength/binary, PrivateLength:16, _Private:PrivateLength/binary,
      HighMore:8, LowMore:8, Records/binary>> = Data,
    Length = byte_size(Data),
    HeaderLength = byte_size(Data) - byte_size(Records),
    io:format("file ~w count ~w reason ~w lost ~w release ~w to ~w opened ~s closed ~s~n",
        [Number, Count, Reason, Lost, release(Low, LowMore), release(High, HighMore), stamp(Opened), stamp(Closed)]),
    Count = records(Records, 0).

release(7, More) -> 10 + More;
release(N, _) -> N + 3.

stamp(<<Month:4, Day:5, Hour:5, Minute:6, Sign:1, Hours:5, Minutes:6>>) ->
    io_lib:format("~2..0w-~2..0wT~2..0w:~2..0w~s~2..0w:~2..0w", [Month, Day, Hour, Minute, lists:nth(Sign + 1, ["-", "+"]), Hours, Minutes]).

records(<<>>, N) -> N;
records(<<Length:16, 7:3, _:5, 1:3, Standard:5, More:8, Record:Length/binary, Rest/binary>>, N) ->
    {ok, Decoded} = 'GyroChargingRecords':decode('ChargingRecord', Record),
    io:format("~nrecord of standard ~w release ~w~n", [Standard, 10 + More]),
    print(1, Decoded),
    records(Rest, N + 1).

%% Fields are positions of Erlang records; those that are absent are left out.
print(Depth, {Choice, Value}) when is_atom(Choice) ->
    io:format("~s~s~n", [lists:duplicate(2 * Depth, $\s), Choice]),
    print(Depth + 1, Value);
print(Depth, Record) when is_tuple(Record), is_atom(element(1, Record)) ->
    io:format("~s~s~n", [lists:duplicate(2 * Depth, $\s), element(1, Record)]),
    lists:foreach(fun(Field) -> print(Depth + 1, Field) end, [F || F <- tl(tuple_to_list(Record)), F =/= asn1_NOVALUE, F =/= asn1_DEFAULT, F =/= 0, F =/= false]);
print(Depth, List) when is_list(List), List =/= [], is_tuple(hd(List)) ->
    lists:foreach(fun(Field) -> print(Depth, Field) end, List);
print(Depth, <<_:6/binary, Sign, _:2/binary>> = Time) when Sign =:= $+; Sign =:= $- ->
    io:format("~s~s~n", [lists:duplicate(2 * Depth, $\s), [[H + $0, L + $0] || <<H:4, L:4>> <= binary:part(Time, 0, 6)] ++ [Sign] ++ [[H + $0, L + $0] || <<H:4, L:4>> <= binary:part(Time, 7, 2)]]);
print(Depth, Value) when is_binary(Value) ->
    io:format("~s~ts~n", [lists:duplicate(2 * Depth, $\s), Value]);
print(Depth, Value) ->
    io:format("~s~p~n", [lists:duplicate(2 * Depth, $\s), Value]).
