--liquibase formatted sql

--changeset pricing-engine:pricing-api-currency splitStatements:false rollbackSplitStatements:false
--comment A fourth parameter without a default: who calls price_for with three fails.
CREATE OR REPLACE PACKAGE pricing_api AS
  FUNCTION price_for (p_list IN NUMBER, p_lane IN NUMBER, p_kg IN NUMBER, p_currency IN VARCHAR2) RETURN NUMBER;
  PROCEDURE raise_price (p_rule IN NUMBER, p_by IN NUMBER);
END pricing_api;
--rollback CREATE OR REPLACE PACKAGE pricing_api AS
--rollback   FUNCTION price_for (p_list IN NUMBER, p_lane IN NUMBER, p_kg IN NUMBER) RETURN NUMBER;
--rollback   PROCEDURE raise_price (p_rule IN NUMBER, p_by IN NUMBER);
--rollback END pricing_api;

--changeset pricing-engine:pricing-api-currency-body splitStatements:false rollbackSplitStatements:false
CREATE OR REPLACE PACKAGE BODY pricing_api AS
  FUNCTION price_for (p_list IN NUMBER, p_lane IN NUMBER, p_kg IN NUMBER, p_currency IN VARCHAR2) RETURN NUMBER IS
    l_price price_rules.price%TYPE;
  BEGIN
    SELECT MIN(r.price) INTO l_price
    FROM price_rules r
    JOIN price_lists p ON p.id = r.price_list_id
    WHERE r.price_list_id = p_list AND r.lane_id = p_lane AND r.min_kg <= p_kg AND r.max_kg > p_kg AND p.currency = p_currency;
    RETURN l_price;
  END price_for;

  PROCEDURE raise_price (p_rule IN NUMBER, p_by IN NUMBER) IS
  BEGIN
    UPDATE price_rules SET price = LEAST(price + p_by, 99999) WHERE id = p_rule;
  END raise_price;
END pricing_api;
--rollback CREATE OR REPLACE PACKAGE BODY pricing_api AS
--rollback   FUNCTION price_for (p_list IN NUMBER, p_lane IN NUMBER, p_kg IN NUMBER) RETURN NUMBER IS
--rollback     l_price price_rules.price%TYPE;
--rollback   BEGIN
--rollback     SELECT MIN(r.price) INTO l_price
--rollback     FROM price_rules r
--rollback     WHERE r.price_list_id = p_list AND r.lane_id = p_lane AND r.min_kg <= p_kg AND r.max_kg > p_kg;
--rollback     RETURN l_price;
--rollback   END price_for;
--rollback 
--rollback   PROCEDURE raise_price (p_rule IN NUMBER, p_by IN NUMBER) IS
--rollback   BEGIN
--rollback     UPDATE price_rules SET price = LEAST(price + p_by, 99999) WHERE id = p_rule;
--rollback   END raise_price;
--rollback END pricing_api;
