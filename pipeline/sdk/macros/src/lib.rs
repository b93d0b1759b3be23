//! `#[object]` over an `impl` block makes an object of a Dagger module out of it; `#[derive(Group)]`, arguments out of a struct.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Code;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DataStruct, DeriveInput, Error, Expr, ExprLit, Fields, FnArg, ImplItem, ItemImpl, Lit,
    Meta, Pat, Result, Token, Type, parse_macro_input,
};

/// Declares the functions of an object: every `pub` method is one.
///
/// The comment over the `impl` block describes the object, the one over a method the function, the one over a parameter the
/// argument. `pub async fn new(…) -> Result<Self>` is the constructor: what it keeps in the object's fields is there in every
/// function. A parameter called `dag` of type `&Query` is the client and no argument. `Option<T>` makes an argument optional.
///
/// - `#[function(cache = "never")]`: `never`, `session` or a time to live such as `5m`.
/// - `#[function(check)]`: `dagger check` runs it.
/// - `#[argument(default = EXPRESSION)]`: a value that serialises to the default.
/// - `#[argument(default_path = "/", ignore = ["*", "!src"])]`: for a `Directory` or `File`.
/// - `#[argument(group)]`: the parameter is a struct with `#[derive(Group)]`, and its fields are arguments.
#[proc_macro_attribute]
pub fn object(_: TokenStream, item: TokenStream) -> TokenStream {
    let block = parse_macro_input!(item as ItemImpl);
    expand(block).unwrap_or_else(|e| e.into_compile_error()).into()
}

/// Makes a struct a group of arguments that several functions take: each field is one, documented and defaulted as a parameter
/// is. A field with `#[argument(group)]` is a group itself.
#[proc_macro_derive(Group, attributes(argument))]
pub fn group(item: TokenStream) -> TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    expand_group(item).unwrap_or_else(|e| e.into_compile_error()).into()
}

fn expand_group(item: DeriveInput) -> Result<Code> {
    let name = item.ident;
    let Data::Struct(DataStruct { fields: Fields::Named(fields), .. }) = item.data else {
        return Err(Error::new_spanned(name, "a group is a struct with named fields"));
    };
    let (mut declarations, mut values) = (Vec::new(), Vec::new());
    for mut field in fields.named {
        let Some(ident) = field.ident else { continue };
        let declared = argument(&ident.to_string(), &field.ty, &mut field.attrs)?;
        let value = declared.value;
        declarations.push(declared.declaration);
        values.push(quote!(#ident: #value));
    }
    Ok(quote! {
        impl ::dagger_module::Group for #name {
            fn arguments() -> Vec<::dagger_module::Argument> {
                let all: Vec<Vec<::dagger_module::Argument>> = vec![#(#declarations),*];
                all.concat()
            }
            async fn read(
                arguments: &mut ::dagger_module::Arguments,
                dag: &::dagger_module::sdk::Query,
            ) -> ::dagger_module::Result<Self> {
                Ok(Self { #(#values),* })
            }
        }
    })
}

/// What one argument becomes: a list of declarations, and the expression that reads it.
struct Declared {
    declaration: Code,
    value: Code,
}

fn argument(ident: &str, kind: &Type, attributes: &mut Vec<Attribute>) -> Result<Declared> {
    let (key, about) = (camel(ident), docs(attributes));
    let (mut default, mut path, mut ignore) = (quote!(None), quote!(None), quote!(Vec::new()));
    for option in take(attributes, "argument")? {
        let word = option.path().get_ident().map(ToString::to_string);
        if word.as_deref() == Some("group") {
            return Ok(Declared {
                declaration: quote!(<#kind as ::dagger_module::Group>::arguments()),
                value: quote!(<#kind as ::dagger_module::Group>::read(arguments, dag).await?),
            });
        }
        let value = named(&option)?;
        match word.as_deref() {
            Some("default") => default = quote!(Some(::dagger_module::json(&#value))),
            Some("default_path") => path = quote!(Some(#value)),
            Some("ignore") => ignore = quote!(#value.to_vec()),
            _ => return Err(Error::new_spanned(option, "default, default_path, ignore or group")),
        }
    }
    let declaration = quote!(vec![::dagger_module::Argument {
        name: #key,
        description: #about,
        kind: <#kind as ::dagger_module::Value>::kind(),
        default: #default,
        default_path: #path,
        ignore: #ignore,
    }]);
    Ok(Declared { declaration, value: quote!(arguments.take::<#kind>(#key, dag).await?) })
}

fn expand(mut block: ItemImpl) -> Result<Code> {
    let this = block.self_ty.clone();
    let description = docs(&block.attrs);
    let mut declared = Vec::new();
    let mut dispatched = Vec::new();
    let mut constructor = Code::new();
    for item in &mut block.items {
        let ImplItem::Fn(method) = item else { continue };
        let public = matches!(method.vis, syn::Visibility::Public(_));
        let options = take(&mut method.attrs, "function")?;
        if !public {
            continue;
        }
        let name = method.sig.ident.clone();
        let wire = camel(&name.to_string());
        let text = docs(&method.attrs);
        let mut arguments = Vec::new();
        let mut values = Vec::new();
        for input in &mut method.sig.inputs {
            let FnArg::Typed(typed) = input else { continue };
            let Pat::Ident(pattern) = typed.pat.as_ref() else {
                return Err(Error::new_spanned(&typed.pat, "an argument needs a name"));
            };
            let ident = pattern.ident.to_string();
            if ident == "dag" {
                values.push(quote!(dag));
                continue;
            }
            let declared = argument(&ident, &typed.ty, &mut typed.attrs)?;
            // What is documented here belongs to the declaration: the method itself has no use for it.
            typed.attrs.retain(|a| !a.path().is_ident("doc"));
            arguments.push(declared.declaration);
            values.push(declared.value);
        }
        let (mut cache, mut check) = (quote!(::dagger_module::Cache::Default), false);
        for option in options {
            match option.path().get_ident().map(ToString::to_string).as_deref() {
                Some("check") => check = true,
                Some("cache") => {
                    let value = named(&option)?;
                    cache = match &value {
                        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value() == "never" => {
                            quote!(::dagger_module::Cache::Never)
                        }
                        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value() == "session" => {
                            quote!(::dagger_module::Cache::Session)
                        }
                        _ => quote!(::dagger_module::Cache::For(#value)),
                    };
                }
                _ => return Err(Error::new_spanned(option, "cache or check")),
            }
        }
        let result = match &method.sig.output {
            syn::ReturnType::Type(_, kind) => quote!(<#kind as ::dagger_module::Answer>::kind()),
            syn::ReturnType::Default => quote!(::dagger_module::Kind::Void),
        };
        let constructs = method.sig.receiver().is_none();
        let result = if constructs {
            quote!(::dagger_module::Kind::Object(<Self as ::dagger_module::Object>::NAME))
        } else {
            result
        };
        let declaration = quote!(::dagger_module::Function {
            name: #wire,
            description: #text,
            arguments: { let all: Vec<Vec<::dagger_module::Argument>> = vec![#(#arguments),*]; all.concat() },
            result: #result,
            cache: #cache,
            check: #check,
        });
        if constructs {
            constructor = quote! {
                fn constructor() -> Option<::dagger_module::Function> {
                    Some(#declaration)
                }

                async fn construct(
                    arguments: &mut ::dagger_module::Arguments,
                    dag: &::dagger_module::sdk::Query,
                ) -> ::dagger_module::Result<::dagger_module::serde_json::Value> {
                    let this: Self = Self::#name(#(#values),*).await?;
                    Ok(::dagger_module::serde_json::to_value(this)?)
                }
            };
            continue;
        }
        declared.push(declaration);
        let wait = method.sig.asyncness.is_some().then(|| quote!(.await));
        dispatched
            .push(quote!(#wire => ::dagger_module::Answer::answer(self.#name(#(#values),*) #wait).await));
    }
    let name = quote!(#this).to_string();
    Ok(quote! {
        #block

        impl ::dagger_module::Answer for #this {
            fn kind() -> ::dagger_module::Kind {
                ::dagger_module::Kind::Object(<Self as ::dagger_module::Object>::NAME)
            }
            async fn answer(self) -> ::dagger_module::Result<::dagger_module::serde_json::Value> {
                Ok(::dagger_module::serde_json::to_value(self)?)
            }
        }

        impl ::dagger_module::Value for #this {
            fn kind() -> ::dagger_module::Kind {
                ::dagger_module::Kind::Object(<Self as ::dagger_module::Object>::NAME)
            }
            fn read(
                json: ::dagger_module::serde_json::Value,
                _: &::dagger_module::sdk::Query,
            ) -> ::dagger_module::Result<Self> {
                Ok(::dagger_module::serde_json::from_value(json)?)
            }
        }

        impl ::dagger_module::Object for #this {
            const NAME: &'static str = #name;
            const DESCRIPTION: &'static str = #description;

            #constructor

            fn functions() -> Vec<::dagger_module::Function> {
                vec![#(#declared),*]
            }

            async fn call(
                &self,
                name: &str,
                arguments: &mut ::dagger_module::Arguments,
                dag: &::dagger_module::sdk::Query,
            ) -> ::dagger_module::Result<::dagger_module::serde_json::Value> {
                match name {
                    #(#dispatched,)*
                    other => Err(::dagger_module::Failure::new(format!("there is no function {other}"))),
                }
            }
        }
    })
}

/// The text of `///` lines.
fn docs(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|a| match &a.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Takes our attribute away and gives what stands in its brackets.
fn take(attributes: &mut Vec<Attribute>, name: &str) -> Result<Vec<Meta>> {
    let mut found = Vec::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident(name)) {
        found.extend(attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?);
    }
    attributes.retain(|a| !a.path().is_ident(name));
    Ok(found)
}

fn named(option: &Meta) -> Result<Expr> {
    Ok(option.require_name_value()?.value.clone())
}

/// `default_path` as the API writes it: `defaultPath`.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        out.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}
