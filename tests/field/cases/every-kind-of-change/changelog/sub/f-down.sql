drop table filed;
