create table word (id integer primary key, text text, weight real, page blob);
with recursive n (i) as (select 0 union all select i + 1 from n where i < 59999)
insert into word select i, 'word ' || i * 7919 % 60013, i % 97 / 7.0, zeroblob(i * 31 % 900) from n;
create index by_text on word (text);
create index by_weight on word (weight, text);
create table pair (first integer references word, second integer references word, note text, primary key (first, second)) without rowid;
insert into pair select a.id, a.id * 31 % 60000, printf('%08d', a.id) || a.text from word a;
update word set text = text || ' again', page = zeroblob(id % 2000) where id % 3 = 0;
delete from word where id % 11 = 0;
select count(*), sum(length(page)), max(text) from word;
select substr(text, 1, 7) as t, count(*), avg(weight), group_concat(id, ';') from word group by t order by 2 desc, 1;
select count(*), sum(length(a.text || b.text)) from pair p join word a on a.id = p.first join word b on b.id = p.second where a.weight > b.weight;
select sum(json_extract(json_object('id', id, 'text', text, 'list', json_array(id, weight, text)), '$.list[0]')) from word;
select text, rank() over (partition by id % 100 order by weight desc, text) as place from word order by place, text limit 20;
vacuum;
pragma integrity_check;
